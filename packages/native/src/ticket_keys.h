// A TicketKeySet as JavaScript holds it.
#pragma once

#include <napi.h>

#include <memory>

#include "ticket_key_set.h"
#include "wrapped.h"

namespace aws_lc {

class TicketKeys : public Wrapped<TicketKeys> {
 public:
  static Napi::Function Define(Napi::Env env);
  // new TicketKeys(): random keys; see lib/index.d.ts for the rest
  explicit TicketKeys(const Napi::CallbackInfo& info);

  const std::shared_ptr<TicketKeySet>& keys() const { return keys_; }

 private:
  void Set(const Napi::CallbackInfo& info);
  void Generate(const Napi::CallbackInfo& info);
  Napi::Value Get(const Napi::CallbackInfo& info);

  const std::shared_ptr<TicketKeySet> keys_ = std::make_shared<TicketKeySet>();
};

}  // namespace aws_lc
