// Reads the plain values that the TypeScript layer, which has validated them, hands over.
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
  const Napi::Value value = options.Get(name);
  return value.IsEmpty() || value.IsUndefined() || value.IsNull() ? Napi::Value() : value;
}

inline bool GetBoolean(const Napi::Object& options, const char* name) {
  const Napi::Value value = GetOption(options, name);
  return !value.IsEmpty() && value.ToBoolean();
}

inline int64_t GetInteger(const Napi::Object& options, const char* name) {
  const Napi::Value value = GetOption(options, name);
  return value.IsEmpty() ? 0 : value.ToNumber().Int64Value();
}

}  // namespace aws_lc
