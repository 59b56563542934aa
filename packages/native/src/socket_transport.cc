#include "socket_transport.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

namespace aws_lc {
namespace {

// Two full records with what the kernel spends on them.
constexpr uint32_t kRoomToEnd = 64 * 1024;

}  // namespace

ptrdiff_t SocketTransport::Send(const uint8_t* data, size_t length) {
  ssize_t result;
  do {
    result = send(fd(), data, length, send_flags_);
  } while (result < 0 && errno == EINTR);
  if (result >= 0) return result;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

ptrdiff_t SocketTransport::Receive(uint8_t* out, size_t capacity) {
  ssize_t result;
  do {
    result = recv(fd(), out, capacity, 0);
  } while (result < 0 && errno == EINTR);
  if (result >= 0) return result;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

// Reading SO_ERROR takes it off the socket: socket(7). A record that fails leaves its errno there beside answering it, and
// sendmsg(2) on a socket with kernel TLS reports it without taking it off.
void SocketTransport::ForgetError() {
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length);
}

int SocketTransport::AttachTls() {
  int protocol = 0;
  socklen_t length = sizeof(protocol);
  if (getsockopt(fd(), SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0 || protocol != IPPROTO_TCP) {
    return -EPROTONOSUPPORT;
  }
  return setsockopt(fd(), IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0 ? 0 : -errno;
}

int SocketTransport::InstallTls(KtlsDirection direction, const KernelCryptoInfo& info) {
  const int option = direction == KtlsDirection::kTx ? TLS_TX : TLS_RX;
  return setsockopt(fd(), SOL_TLS, option, info.data(), static_cast<socklen_t>(info.size())) == 0 ? 0 : -errno;
}

ptrdiff_t SocketTransport::SendRecord(uint8_t type, const uint8_t* data, size_t length) {
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
ptrdiff_t SocketTransport::ReceiveRecord(uint8_t* out, size_t capacity, uint8_t* type) {
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
bool SocketTransport::HasRoomToEnd() {
  uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof(info);
  if (getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, info, &length) != 0) return true;
  const uint32_t queued = info[SK_MEMINFO_WMEM_QUEUED];
  const uint32_t limit = info[SK_MEMINFO_SNDBUF];
  // poll(2) calls a socket writable when a third is free; asking for no more than that never waits in vain.
  return queued == 0 || (queued < limit && limit - queued >= std::min(limit / 3, kRoomToEnd));
}

// On such a socket sends go on to succeed after the peer's RST: records are sealed and thrown away (Linux 6.1 notices
// after some 100 MB, 7.2 never). The state of the connection tells at once: tcp(7) TCP_INFO.
bool SocketTransport::IsSocketGone(int fd) {
  uint8_t state = TCP_ESTABLISHED;
  socklen_t length = sizeof(state);
  static_assert(offsetof(tcp_info, tcpi_state) == 0);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &length) == 0 && state == TCP_CLOSE;
}

void SocketTransport::ResetOnClose() {
  const linger reset = {1, 0};
  setsockopt(fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

void SocketTransport::ShutDownSending() { shutdown(fd(), SHUT_WR); }

}  // namespace aws_lc
