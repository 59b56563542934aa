#include "ticket_keys.h"

#include <algorithm>

#include "js_values.h"

namespace aws_lc {

Napi::Function TicketKeys::Define(Napi::Env env) {
  return DefineClass(env, "TicketKeys",
                     {
                         InstanceMethod<&TicketKeys::Set>("set"),
                         InstanceMethod<&TicketKeys::Generate>("generate"),
                         InstanceMethod<&TicketKeys::Get>("get"),
                     });
}

TicketKeys::TicketKeys(const Napi::CallbackInfo& info) : Wrapped(info) {}

// set(keys of 48 bytes, index of the one that seals)
void TicketKeys::Set(const Napi::CallbackInfo& info) {
  std::vector<TicketKey> keys;
  for (const ByteView bytes : ToByteViews(info[0])) {
    if (bytes.size() != kTicketKeyLength) return;
    std::copy(bytes.begin(), bytes.end(), keys.emplace_back().begin());
  }
  const size_t current = ToInteger<uint32_t>(info[1]);
  if (current < keys.size()) keys_->Set(std::move(keys), current);
}

// generate(interval in seconds, how many before the current one are accepted)
void TicketKeys::Generate(const Napi::CallbackInfo& info) {
  keys_->Generate(std::chrono::seconds(ToInteger(info[0])), ToInteger<uint32_t>(info[1]));
}

// get(): the keys, beginning with the one that seals; those not in use yet are left out
Napi::Value TicketKeys::Get(const Napi::CallbackInfo& info) {
  size_t current = 0;
  const std::vector<TicketKey> keys = keys_->Keys(&current);
  Napi::Array array = Napi::Array::New(info.Env());
  for (size_t i = current; i < keys.size(); i++) {
    array.Set(array.Length(), ToBuffer(info.Env(), keys[i].data(), kTicketKeyLength));
  }
  return array;
}

}  // namespace aws_lc
