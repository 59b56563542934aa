// Reads the plain values that the TypeScript layer, which has validated them, hands over.
//
// Nothing here coerces: that runs JavaScript, and while an environment is being terminated it fails, upon which
// node-addon-api's next call ends the process. A value that is not what it should be reads as empty or zero.
#pragma once

#include <napi.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aws_lc {

using ByteView = std::span<const uint8_t>;

// The bytes of a Uint8Array or Buffer; valid while the JavaScript value is.
inline ByteView ToBytes(const Napi::Value& value) {
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_buffer_info(value.Env(), value, &data, &length) != napi_ok) return {};
  return {static_cast<const uint8_t*>(data), length};
}

inline std::string ToText(const Napi::Value& value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(value.Env(), value, nullptr, 0, &length) != napi_ok) return {};
  std::string text(length, '\0');
  napi_get_value_string_utf8(value.Env(), value, text.data(), length + 1, &length);
  return text;
}

template <typename Integer = int64_t>
Integer ToInteger(const Napi::Value& value) {
  int64_t number = 0;
  napi_get_value_int64(value.Env(), value, &number);
  return static_cast<Integer>(number);
}

inline bool ToBoolean(const Napi::Value& value) {
  bool truth = false;
  return napi_get_value_bool(value.Env(), value, &truth) == napi_ok && truth;
}

inline std::vector<ByteView> ToByteViews(const Napi::Value& value) {
  std::vector<ByteView> views;
  if (!value.IsArray()) return views;
  const auto array = value.As<Napi::Array>();
  views.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) views.push_back(ToBytes(array.Get(i)));
  return views;
}

inline Napi::Buffer<uint8_t> ToBuffer(Napi::Env env, const uint8_t* data, size_t length) {
  return Napi::Buffer<uint8_t>::Copy(env, data, length);
}

// A property that is there and not undefined, or an empty value; that too while the environment is being terminated,
// when every question about JavaScript values fails.
inline Napi::Value GetOption(const Napi::Object& options, const char* name) {
  if (options.IsEmpty()) return {};
  const Napi::Value value = options.Get(name);
  return value.IsEmpty() || value.IsUndefined() || value.IsNull() ? Napi::Value() : value;
}

// What the array holds; empty when there is none.
inline std::vector<Napi::Value> GetList(const Napi::Object& options, const char* name) {
  std::vector<Napi::Value> list;
  const Napi::Value value = GetOption(options, name);
  if (!value.IsArray()) return list;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) list.push_back(array.Get(i));
  return list;
}

inline bool GetBoolean(const Napi::Object& options, const char* name) {
  const Napi::Value value = GetOption(options, name);
  return !value.IsEmpty() && ToBoolean(value);
}

inline int64_t GetInteger(const Napi::Object& options, const char* name) {
  const Napi::Value value = GetOption(options, name);
  return value.IsEmpty() ? 0 : ToInteger(value);
}

}  // namespace aws_lc
