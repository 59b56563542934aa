#include "plaintext_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace aws_lc {

std::unique_ptr<PlaintextSocket> PlaintextSocket::Open(EnvData* env_data, FdTransport::Listener* listener,
                                                       int* other_end, int* error) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    *error = errno;
    return nullptr;
  }
  std::unique_ptr<PlaintextSocket> socket(new PlaintextSocket());
  socket->transport_ =
      FdTransport::Adopt(env_data, std::make_shared<const Descriptor>(ends[0]), listener, error);
  if (socket->transport_ == nullptr) {
    close(ends[1]);
    return nullptr;
  }
  *other_end = ends[1];
  return socket;
}

void PlaintextSocket::Put(const uint8_t* data, size_t length) {
  bytes_put_ += length;
  size_t sent = 0;
  while (TakesMore() && sent < length) {
    const ptrdiff_t result = transport_->Send(data + sent, length - sent);
    if (result == -EAGAIN) break;
    // Nobody reads any more: the other end is closed, and its owner is about to close this one.
    if (result < 0) return;
    sent += static_cast<size_t>(result);
  }
  held_.insert(held_.end(), data + sent, data + length);
}

void PlaintextSocket::EndPut() {
  put_ended_ = true;
  if (TakesMore()) transport_->ShutDownSending();
}

void PlaintextSocket::Drain() {
  while (!TakesMore()) {
    const ptrdiff_t result = transport_->Send(held_.data() + held_offset_, held_.size() - held_offset_);
    if (result == -EAGAIN) return;
    held_offset_ = result < 0 ? held_.size() : held_offset_ + static_cast<size_t>(result);
  }
  std::vector<uint8_t>().swap(held_);
  held_offset_ = 0;
  if (put_ended_) transport_->ShutDownSending();
}

ptrdiff_t PlaintextSocket::Take(uint8_t* out, size_t capacity) {
  const ptrdiff_t result = transport_->Receive(out, capacity);
  if (result == -EAGAIN) return result;
  if (result <= 0) {
    // Closed with bytes unread counts as the end too: what was written before has been taken.
    take_ended_ = true;
    return 0;
  }
  bytes_taken_ += static_cast<uint64_t>(result);
  return result;
}

void PlaintextSocket::Watch(bool may_take) { transport_->Watch(may_take && !take_ended_, !TakesMore()); }

}  // namespace aws_lc
