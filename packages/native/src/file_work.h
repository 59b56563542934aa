// One step of a file's transfer on libuv's thread pool.
#pragma once

#include <memory>

#include "file_transfer.h"
#include "pool_work.h"

namespace aws_lc {

class FileWork final : public PoolWork {
 public:
  // Called on the loop when the step has been made.
  class Listener {
   public:
    virtual void OnFileStep(FileStep step) = 0;

   protected:
    ~Listener() = default;
  };

  // `socket` is null where the file is to be read. File and socket stay open for the step.
  static FileWork* Queue(std::shared_ptr<EnvData> env_data, const FileTransfer& transfer,
                         std::shared_ptr<const Descriptor> socket, Listener* listener);

  bool sends() const { return socket_ != nullptr; }

 private:
  using PoolWork::PoolWork;
  void Run() override;
  void Finish() override;

  std::shared_ptr<const Descriptor> file_;
  std::shared_ptr<const Descriptor> socket_;
  uint64_t offset_ = 0;
  uint64_t end_ = 0;
  Listener* listener_ = nullptr;
  FileStep step_;
};

}  // namespace aws_lc
