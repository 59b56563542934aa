// A native object behind a JavaScript one.
#pragma once

#include <napi.h>

#include <memory>

#include "env_data.h"

namespace aws_lc {

// While an environment is being terminated nothing can be wrapped, and node-addon-api then forgets the object that it has
// made for it: no exception is pending either, for which it would look.
template <typename T>
class Wrapped : public Napi::ObjectWrap<T> {
 protected:
  explicit Wrapped(const Napi::CallbackInfo& info) : Napi::ObjectWrap<T>(info) {
    if (!this->IsEmpty() || info.Env().IsExceptionPending()) return;
    EnvData::From(info.Env())->KeepUntilTheEnd(std::shared_ptr<T>(static_cast<T*>(this)));
  }
};

}  // namespace aws_lc
