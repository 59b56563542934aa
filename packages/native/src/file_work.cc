#include "file_work.h"

#include <utility>

namespace aws_lc {

FileWork* FileWork::Queue(std::shared_ptr<EnvData> env_data, const FileTransfer& transfer,
                          std::shared_ptr<const Descriptor> socket, Listener* listener) {
  auto* work = new FileWork(std::move(env_data));
  work->file_ = transfer.file();
  work->socket_ = std::move(socket);
  work->offset_ = transfer.offset();
  work->end_ = transfer.end();
  work->listener_ = listener;
  work->PoolWork::Queue();
  return work;
}

void FileWork::Run() {
  const int socket = socket_ == nullptr ? -1 : socket_->fd();
  step_ = RunFileStep(file_->fd(), offset_, end_, socket);
}

void FileWork::Finish() { listener_->OnFileStep(std::move(step_)); }

}  // namespace aws_lc
