#include "file_source.h"

#include <cmath>
#include <limits>

#include "js_error.h"
#include "js_values.h"

namespace aws_lc {

Napi::Function FileSource::Define(Napi::Env env) {
  return DefineClass(env, "FileSource",
                     {
                         InstanceMethod<&FileSource::Sent>("sent"),
                         InstanceMethod<&FileSource::Complete>("complete"),
                         InstanceMethod<&FileSource::Failure>("failure"),
                         InstanceMethod<&FileSource::Close>("close"),
                     });
}

FileSource::FileSource(const Napi::CallbackInfo& info) : Wrapped(info) {
  double end = 0;
  napi_get_value_double(info.Env(), info[2], &end);
  // off_t is signed.
  constexpr auto kEverything = static_cast<uint64_t>(std::numeric_limits<off_t>::max());
  transfer_ = std::make_shared<FileTransfer>(ToInteger<int>(info[0]),
                                             ToInteger<uint64_t>(info[1]),
                                             std::isinf(end) ? kEverything : static_cast<uint64_t>(end));
}

Napi::Value FileSource::Sent(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(transfer_->sent()));
}

Napi::Value FileSource::Complete(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), transfer_->complete());
}

Napi::Value FileSource::Failure(const Napi::CallbackInfo& info) {
  if (transfer_->file_error() == 0) return info.Env().Undefined();
  return ToObject(info.Env(), TlsError::System("read", transfer_->file_error()));
}

void FileSource::Close(const Napi::CallbackInfo& /*info*/) { transfer_->Close(); }

}  // namespace aws_lc
