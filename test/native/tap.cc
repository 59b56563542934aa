// The program: runs every test, or those whose name contains its first argument.
#include "tap.h"

#include <cstdio>
#include <cstring>

namespace tap {
namespace {

struct Entry {
  const char* name;
  Function function;
};

// Made at first use: registrations of other files run before this file's own initialisation.
std::vector<Entry>& Entries() {
  static std::vector<Entry> entries;
  return entries;
}

// Of a table whose every row fails the first few tell it all.
constexpr size_t kShown = 8;

std::vector<std::string> cases;
std::vector<std::string> failures;

// As a double-quoted scalar of YAML.
std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted + '"';
}

bool Run(const Entry& entry, size_t number) {
  failures.clear();
  cases.clear();
  try {
    entry.function();
  } catch (const Abandoned&) {
  }
  std::printf("%s %zu - %s\n", failures.empty() ? "ok" : "not ok", number, entry.name);
  if (!failures.empty()) {
    std::printf("  ---\n  failures:\n");
    for (size_t i = 0; i < failures.size() && i < kShown; i++) std::printf("    - %s\n", Quote(failures[i]).c_str());
    if (failures.size() > kShown) std::printf("    - and %zu more\n", failures.size() - kShown);
    std::printf("  ...\n");
  }
  std::fflush(stdout);
  return failures.empty();
}

}  // namespace

Registration::Registration(const char* name, Function function) { Entries().push_back({name, function}); }

Case::Case(std::string name) { cases.push_back(std::move(name)); }
Case::~Case() { cases.pop_back(); }

void Fail(const char* file, int line, const std::string& message) {
  const char* slash = std::strrchr(file, '/');
  std::string text = std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(line) + ": ";
  for (const std::string& name : cases) text += name + ": ";
  failures.push_back(text + message);
}

std::string Hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    text += digits;
  }
  return text;
}

}  // namespace tap

int main(int argc, char** argv) {
  const char* wanted = argc > 1 ? argv[1] : "";
  size_t number = 0;
  bool passed = true;
  std::printf("TAP version 14\n");
  for (const auto& entry : tap::Entries()) {
    if (std::strstr(entry.name, wanted) == nullptr) continue;
    passed = tap::Run(entry, ++number) && passed;
  }
  std::printf("1..%zu\n", number);
  return passed && number > 0 ? 0 : 1;
}
