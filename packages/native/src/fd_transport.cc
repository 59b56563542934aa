#include "fd_transport.h"

#include <cerrno>

namespace aws_lc {

std::unique_ptr<FdTransport> FdTransport::Open(EnvData* env_data, int fd, Listener* listener, int* error) {
  std::shared_ptr<const Descriptor> descriptor = Descriptor::Duplicate(fd);
  if (descriptor == nullptr) {
    *error = errno;
    return nullptr;
  }
  return Adopt(env_data, std::move(descriptor), listener, error);
}

std::unique_ptr<FdTransport> FdTransport::Adopt(EnvData* env_data, std::shared_ptr<const Descriptor> descriptor,
                                                Listener* listener, int* error) {
  const int own_fd = descriptor->fd();
  std::unique_ptr<FdTransport> transport(new FdTransport(std::move(descriptor), listener));
  auto handle = std::make_unique<PollHandle>();
  const int status = uv_poll_init(env_data->loop(), &handle->poll, own_fd);
  if (status != 0) {
    *error = -status;
    return nullptr;
  }
  handle->env_data = env_data->shared_from_this();
  handle->transport = transport.get();
  handle->poll.data = handle.get();
  transport->handle_ = handle.release();
  return transport;
}

FdTransport::~FdTransport() {
  if (handle_ != nullptr) {
    handle_->transport = nullptr;
    handle_->env_data->HandleClosing();
    // Also takes the descriptor out of epoll, which must happen while it is open.
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll), [](uv_handle_t* closed) {
      std::unique_ptr<PollHandle> handle(static_cast<PollHandle*>(closed->data));
      handle->env_data->HandleClosed();
    });
  }
}

void FdTransport::Watch(bool readable, bool writable) {
  wanted_ = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if ((wanted_ & ~watched_) != 0) WatchWanted();
  UpdateReference();
}

void FdTransport::WatchWanted() {
  watched_ = wanted_;
  if (wanted_ == 0) {
    uv_poll_stop(&handle_->poll);
  } else {
    uv_poll_start(&handle_->poll, wanted_, OnPoll);
  }
}

void FdTransport::SetReferenced(bool referenced) {
  referenced_ = referenced;
  UpdateReference();
}

// Watched for nothing that is wanted it would keep the loop alive.
void FdTransport::UpdateReference() {
  auto* handle = reinterpret_cast<uv_handle_t*>(&handle_->poll);
  if (referenced_ && wanted_ != 0) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void FdTransport::OnPoll(uv_poll_t* poll, int status, int events) {
  FdTransport* transport = static_cast<PollHandle*>(poll->data)->transport;
  if (transport == nullptr) return;
  if (status < 0) {
    // libuv has stopped watching (EPOLLERR); the next system call says what is wrong.
    transport->watched_ = 0;
    if (transport->wanted_ != 0) transport->listener_->OnReady(true, true);
    return;
  }
  const int welcome = events & transport->wanted_;
  if (welcome != events) transport->WatchWanted();
  if (welcome != 0) transport->listener_->OnReady((welcome & UV_READABLE) != 0, (welcome & UV_WRITABLE) != 0);
}

}  // namespace aws_lc
