// A part of a file that JavaScript wants sent: `new FileSource(fd, start, end)`, see lib/index.d.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "file_transfer.h"
#include "wrapped.h"

namespace aws_lc {

class FileSource : public Wrapped<FileSource> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit FileSource(const Napi::CallbackInfo& info);

  const std::shared_ptr<FileTransfer>& transfer() const { return transfer_; }

 private:
  Napi::Value Sent(const Napi::CallbackInfo& info);
  Napi::Value Complete(const Napi::CallbackInfo& info);
  Napi::Value Failure(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<FileTransfer> transfer_;
};

}  // namespace aws_lc
