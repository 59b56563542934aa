// Tests that report in TAP, so that tap counts them one by one. A test is a function with a sentence for a name:
//
//   TEST("an empty record says nothing") {
//     CHECK_EQ(reader.Read(), "");   // goes on after a failure
//     REQUIRE(engine.state() == Engine::State::kOpen);   // ends the test
//   }
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tap {

using Function = void (*)();

// Thrown by REQUIRE; main() goes on with the next test.
struct Abandoned {};

struct Registration {
  Registration(const char* name, Function function);
};

// Names the row of a table in the failures of its checks.
class Case {
 public:
  explicit Case(std::string name);
  ~Case();
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;
};

void Fail(const char* file, int line, const std::string& message);

std::string Hex(std::span<const uint8_t> bytes);

template <typename T>
std::string Show(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<int64_t>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_convertible_v<T, std::string_view>) {
    return std::string(std::string_view(value));
  } else {
    return Hex(value);
  }
}

template <typename Actual, typename Expected>
void CheckEqual(const char* file, int line, const char* what, const Actual& actual, const Expected& expected) {
  if constexpr (std::is_convertible_v<Actual, std::string_view>) {
    if (std::string_view(actual) == std::string_view(expected)) return;
  } else if constexpr (std::is_integral_v<Actual> && std::is_integral_v<Expected> && !std::is_same_v<Actual, bool>) {
    if (std::cmp_equal(actual, expected)) return;
  } else {
    if (actual == expected) return;
  }
  Fail(file, line, std::string(what) + " is " + Show(actual) + ", not " + Show(expected));
}

}  // namespace tap

#define TAP_JOIN2(a, b) a##b
#define TAP_JOIN(a, b) TAP_JOIN2(a, b)
#define TEST(name)                                                                                              \
  static void TAP_JOIN(Test, __LINE__)();                                                                       \
  static const tap::Registration TAP_JOIN(registration, __LINE__)(name, TAP_JOIN(Test, __LINE__));              \
  static void TAP_JOIN(Test, __LINE__)()

#define CHECK(condition) \
  if (!(condition)) tap::Fail(__FILE__, __LINE__, #condition " does not hold")

#define CHECK_EQ(actual, expected) tap::CheckEqual(__FILE__, __LINE__, #actual, actual, expected)

#define REQUIRE(condition)                                           \
  if (!(condition)) {                                                \
    tap::Fail(__FILE__, __LINE__, #condition " does not hold");      \
    throw tap::Abandoned();                                          \
  }
