#include "file_work.h"

#include <utility>

namespace aws_lc {

FileWork* FileWork::Queue(std::shared_ptr<EnvData> env_data, const FileTransfer& transfer,
                          std::shared_ptr<const Descriptor> socket, Listener* listener) {
  auto* work = new FileWork();
  work->request_.data = work;
  work->env_data_ = std::move(env_data);
  work->file_ = transfer.file();
  work->socket_ = std::move(socket);
  work->offset_ = transfer.offset();
  work->end_ = transfer.end();
  work->listener_ = listener;
  work->env_data_->HandleClosing();
  uv_queue_work(work->env_data_->loop(), &work->request_, Run, Done);
  return work;
}

void FileWork::Abandon() {
  listener_ = nullptr;
  TryCancel();
}

void FileWork::Run(uv_work_t* request) {
  auto* work = static_cast<FileWork*>(request->data);
  const int socket = work->socket_ == nullptr ? -1 : work->socket_->fd();
  work->step_ = RunFileStep(work->file_->fd(), work->offset_, work->end_, socket);
}

void FileWork::Done(uv_work_t* request, int /*status*/) {
  const std::unique_ptr<FileWork> work(static_cast<FileWork*>(request->data));
  if (work->listener_ != nullptr) work->listener_->OnFileStep(std::move(work->step_));
  work->env_data_->HandleClosed();
}

}  // namespace aws_lc
