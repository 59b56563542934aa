#include "fd_transport.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

namespace aws_lc {
namespace {

// Two full records with what the kernel spends on them.
constexpr uint32_t kRoomToEnd = 64 * 1024;

}  // namespace

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

ptrdiff_t FdTransport::Send(const uint8_t* data, size_t length) {
  ssize_t result;
  do {
    result = send(fd(), data, length, MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  if (result >= 0) return result;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

ptrdiff_t FdTransport::Receive(uint8_t* out, size_t capacity) {
  ssize_t result;
  do {
    result = recv(fd(), out, capacity, 0);
  } while (result < 0 && errno == EINTR);
  if (result >= 0) return result;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int FdTransport::AttachTls() {
  int protocol = 0;
  socklen_t length = sizeof(protocol);
  if (getsockopt(fd(), SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0 || protocol != IPPROTO_TCP) {
    return -EPROTONOSUPPORT;
  }
  return setsockopt(fd(), IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0 ? 0 : -errno;
}

int FdTransport::InstallTls(KtlsDirection direction, const KernelCryptoInfo& info) {
  const int option = direction == KtlsDirection::kTx ? TLS_TX : TLS_RX;
  return setsockopt(fd(), SOL_TLS, option, info.data(), static_cast<socklen_t>(info.size())) == 0 ? 0 : -errno;
}

ptrdiff_t FdTransport::SendRecord(uint8_t type, const uint8_t* data, size_t length) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(type))] = {};
  iovec vector = {const_cast<uint8_t*>(data), length};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_TLS;
  header->cmsg_type = TLS_SET_RECORD_TYPE;
  header->cmsg_len = CMSG_LEN(sizeof(type));
  *CMSG_DATA(header) = type;
  ssize_t result;
  do {
    result = sendmsg(fd(), &message, MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  if (result >= 0) return result;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

// Without room for the record type a record other than application data would fail with EIO and stay where it is.
ptrdiff_t FdTransport::ReceiveRecord(uint8_t* out, size_t capacity, uint8_t* type) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(*type))] = {};
  iovec vector = {out, capacity};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  *type = 0;
  ssize_t result;
  do {
    result = recvmsg(fd(), &message, 0);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_TLS && header->cmsg_type == TLS_GET_RECORD_TYPE) {
    *type = *CMSG_DATA(header);
  } else if (result > 0) {
    *type = SSL3_RT_APPLICATION_DATA;
  }
  return result;
}

// A send to a kernel-TLS socket succeeds once the record is sealed, even where the socket's buffer took only a part of
// it; the kernel sends the rest when there is room. A FIN that is queued meanwhile would cut that rest off, so the end
// waits until the next send is certain to push everything out before it.
bool FdTransport::HasRoomToEnd() {
  uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof(info);
  if (getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, info, &length) != 0) return true;
  const uint32_t queued = info[SK_MEMINFO_WMEM_QUEUED];
  const uint32_t limit = info[SK_MEMINFO_SNDBUF];
  // poll(2) calls a socket writable when a third is free; asking for no more than that never waits in vain.
  return queued == 0 || (queued < limit && limit - queued >= std::min(limit / 3, kRoomToEnd));
}

void FdTransport::Watch(bool readable, bool writable) {
  const int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (events == watched_) return;
  watched_ = events;
  if (events == 0) {
    uv_poll_stop(&handle_->poll);
  } else {
    uv_poll_start(&handle_->poll, events, OnPoll);
  }
}

void FdTransport::SetReferenced(bool referenced) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&handle_->poll);
  if (referenced) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void FdTransport::ResetOnClose() {
  const linger reset = {1, 0};
  setsockopt(fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

void FdTransport::ShutDownSending() { shutdown(fd(), SHUT_WR); }

void FdTransport::OnPoll(uv_poll_t* poll, int status, int events) {
  FdTransport* transport = static_cast<PollHandle*>(poll->data)->transport;
  if (transport == nullptr) return;
  if (status < 0) {
    // libuv has stopped watching (EPOLLERR); the next system call says what is wrong.
    transport->watched_ = 0;
    transport->listener_->OnReady(true, true);
    return;
  }
  transport->listener_->OnReady((events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
}

}  // namespace aws_lc
