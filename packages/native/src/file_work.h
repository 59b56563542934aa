// One step of a file's transfer on libuv's thread pool.
#pragma once

#include <uv.h>

#include <memory>

#include "env_data.h"
#include "file_transfer.h"

namespace aws_lc {

class FileWork {
 public:
  // Called on the loop when the step has been made.
  class Listener {
   public:
    virtual void OnFileStep(FileStep step) = 0;

   protected:
    ~Listener() = default;
  };

  // `socket` is null where the file is to be read. The environment waits for the step; file and socket stay open for it.
  static FileWork* Queue(std::shared_ptr<EnvData> env_data, const FileTransfer& transfer,
                         std::shared_ptr<const Descriptor> socket, Listener* listener);

  // The listener is going: the step is called off, or nobody is told of it.
  void Abandon();
  // Calls the step off if it has not begun; the listener is told either way.
  void TryCancel() { uv_cancel(reinterpret_cast<uv_req_t*>(&request_)); }
  bool sends() const { return socket_ != nullptr; }

 private:
  FileWork() = default;
  static void Run(uv_work_t* request);
  static void Done(uv_work_t* request, int status);

  uv_work_t request_ = {};
  std::shared_ptr<EnvData> env_data_;
  std::shared_ptr<const Descriptor> file_;
  std::shared_ptr<const Descriptor> socket_;
  uint64_t offset_ = 0;
  uint64_t end_ = 0;
  Listener* listener_ = nullptr;
  FileStep step_;
};

}  // namespace aws_lc
