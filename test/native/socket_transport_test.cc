// The system calls themselves: what they are called with, and what becomes of their answers. The calls are replaced at the
// link (--wrap); a test that scripts none of them gets the kernel of this host, over real sockets.
#include "socket_transport.h"

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tap.h"

namespace aws_lc {
namespace {

constexpr int kSolTls = 282;

// One script for each call; an empty one hands the call on.
struct System {
  // Negated errnos, or counts.
  std::deque<ssize_t> answers;
  // What was asked, a word for each call.
  std::vector<std::string> calls;
  std::function<void(msghdr*)> fill;
  std::function<void(int level, int name, void* value, socklen_t* length)> option;
  // Of the last message or option that was given.
  std::vector<uint8_t> given;
  std::vector<uint8_t> control;
};

System* current = nullptr;

struct Scripted {
  Scripted() { current = &system; }
  ~Scripted() { current = nullptr; }
  System system;
};

// True with the answer in *result; false if the kernel is to answer.
bool Answer(const std::string& call, ssize_t* result) {
  if (current == nullptr) return false;
  current->calls.push_back(call);
  if (current->answers.empty()) return false;
  *result = current->answers.front();
  current->answers.pop_front();
  if (*result >= 0) return true;
  errno = static_cast<int>(-*result);
  *result = -1;
  return true;
}

std::vector<uint8_t> Bytes(const void* data, size_t length) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  return {bytes, bytes + length};
}

std::string Joined(const std::vector<std::string>& calls) {
  std::string all;
  for (const std::string& call : calls) all += (all.empty() ? "" : ", ") + call;
  return all;
}

}  // namespace
}  // namespace aws_lc

using aws_lc::Answer;
using aws_lc::Bytes;
using aws_lc::current;

extern "C" {

ssize_t __real_send(int fd, const void* data, size_t length, int flags);
ssize_t __wrap_send(int fd, const void* data, size_t length, int flags) {
  ssize_t result;
  if (Answer("send " + std::to_string(length) + (flags == MSG_NOSIGNAL ? " NOSIGNAL" : ""), &result)) return result;
  return __real_send(fd, data, length, flags);
}

ssize_t __real_recv(int fd, void* out, size_t capacity, int flags);
ssize_t __wrap_recv(int fd, void* out, size_t capacity, int flags) {
  ssize_t result;
  if (Answer("recv " + std::to_string(capacity), &result)) return result;
  return __real_recv(fd, out, capacity, flags);
}

ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  ssize_t result;
  if (current != nullptr) {
    current->given = Bytes(message->msg_iov->iov_base, message->msg_iov->iov_len);
    current->control = Bytes(message->msg_control, message->msg_controllen);
  }
  if (Answer(std::string("sendmsg") + (flags == MSG_NOSIGNAL ? " NOSIGNAL" : ""), &result)) return result;
  return __real_sendmsg(fd, message, flags);
}

ssize_t __real_recvmsg(int fd, msghdr* message, int flags);
ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) {
  ssize_t result;
  if (Answer("recvmsg " + std::to_string(message->msg_iov->iov_len), &result)) {
    // The kernel says with the length that it has nothing to say.
    if (result < 0 || current->fill == nullptr) {
      message->msg_controllen = 0;
    } else {
      current->fill(message);
    }
    return result;
  }
  return __real_recvmsg(fd, message, flags);
}

int __real_getsockopt(int fd, int level, int name, void* value, socklen_t* length);
int __wrap_getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
  ssize_t result;
  if (Answer("getsockopt " + std::to_string(name), &result)) {
    if (result == 0 && current->option != nullptr) current->option(level, name, value, length);
    return static_cast<int>(result);
  }
  return __real_getsockopt(fd, level, name, value, length);
}

int __real_setsockopt(int fd, int level, int name, const void* value, socklen_t length);
int __wrap_setsockopt(int fd, int level, int name, const void* value, socklen_t length) {
  ssize_t result;
  if (current != nullptr) current->given = Bytes(value, length);
  if (Answer("setsockopt " + std::to_string(level) + " " + std::to_string(name), &result)) {
    return static_cast<int>(result);
  }
  return __real_setsockopt(fd, level, name, value, length);
}

}  // extern "C"

namespace aws_lc {
namespace {

// Two sockets that are connected.
struct Pair {
  explicit Pair(int family = AF_UNIX) {
    int fds[2] = {-1, -1};
    if (family == AF_UNIX) {
      REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    } else {
      const Descriptor listener(socket(AF_INET, SOCK_STREAM, 0));
      sockaddr_in address = {};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t length = sizeof(address);
      REQUIRE(bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), length) == 0);
      REQUIRE(listen(listener.fd(), 1) == 0);
      REQUIRE(getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
      fds[0] = socket(AF_INET, SOCK_STREAM, 0);
      REQUIRE(connect(fds[0], reinterpret_cast<sockaddr*>(&address), length) == 0);
      fds[1] = accept(listener.fd(), nullptr, nullptr);
      for (const int fd : fds) REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    }
    near = std::make_unique<SocketTransport>(std::make_shared<const Descriptor>(fds[0]));
    far = std::make_unique<SocketTransport>(std::make_shared<const Descriptor>(fds[1]));
  }

  std::unique_ptr<SocketTransport> near;
  std::unique_ptr<SocketTransport> far;
};

const uint8_t kAlert[] = {2, 20};

TEST("socket: a call that a signal interrupts is made again, each of them") {
  Pair pair;
  uint8_t buffer[16];
  uint8_t type = 0;
  const std::function<ptrdiff_t()> calls[] = {
      [&] { return pair.near->Send(kAlert, 2); },
      [&] { return pair.near->Receive(buffer, sizeof(buffer)); },
      [&] { return pair.near->SendRecord(SSL3_RT_ALERT, kAlert, 2); },
      [&] { return pair.near->ReceiveRecord(buffer, sizeof(buffer), &type); },
  };
  for (const auto& call : calls) {
    Scripted scripted;
    scripted.system.answers = {-EINTR, -EINTR, 2};
    CHECK_EQ(call(), 2);
    CHECK_EQ(scripted.system.calls.size(), 3);
  }
}

TEST("socket: a failure is its negated errno, from each call") {
  Pair pair;
  uint8_t buffer[16];
  uint8_t type = 0;
  for (const int error : {EAGAIN, EPIPE, ECONNRESET, EBADMSG, EMSGSIZE, EKEYEXPIRED}) {
    tap::Case row(std::strerror(error));
    Scripted scripted;
    scripted.system.answers = {-error, -error, -error, -error};
    CHECK_EQ(pair.near->Send(kAlert, 2), -error);
    CHECK_EQ(pair.near->Receive(buffer, sizeof(buffer)), -error);
    CHECK_EQ(pair.near->SendRecord(SSL3_RT_ALERT, kAlert, 2), -error);
    CHECK_EQ(pair.near->ReceiveRecord(buffer, sizeof(buffer), &type), -error);
    CHECK_EQ(type, 0);
  }
}

TEST("socket: a record is sent with its type beside it, and no signal if the peer has gone") {
  Pair pair;
  Scripted scripted;
  scripted.system.answers = {2};
  CHECK_EQ(pair.near->SendRecord(SSL3_RT_ALERT, kAlert, sizeof(kAlert)), 2);
  CHECK_EQ(Joined(scripted.system.calls), "sendmsg NOSIGNAL");
  CHECK_EQ(tap::Hex(scripted.system.given), "0214");
  REQUIRE(scripted.system.control.size() == CMSG_SPACE(1));
  cmsghdr header;
  std::memcpy(&header, scripted.system.control.data(), sizeof(header));
  CHECK_EQ(header.cmsg_level, kSolTls);
  CHECK_EQ(header.cmsg_type, TLS_SET_RECORD_TYPE);
  CHECK_EQ(header.cmsg_len, CMSG_LEN(1));
  CHECK_EQ(scripted.system.control[CMSG_LEN(0)], SSL3_RT_ALERT);
}

TEST("socket: a record's type is what the kernel says, application data where it says nothing, none at the end") {
  struct Row {
    const char* name;
    int level;
    int kind;
    ssize_t length;
    uint8_t type;
  };
  const Row rows[] = {{"an alert", kSolTls, TLS_GET_RECORD_TYPE, 2, SSL3_RT_ALERT},
                      {"an empty record of data", kSolTls, TLS_GET_RECORD_TYPE, 0, SSL3_RT_APPLICATION_DATA},
                      {"data without a word", 0, 0, 5, SSL3_RT_APPLICATION_DATA},
                      {"data with another's word", SOL_SOCKET, SCM_RIGHTS, 5, SSL3_RT_APPLICATION_DATA},
                      {"the end", 0, 0, 0, 0}};
  Pair pair;
  for (const Row& row : rows) {
    tap::Case name(row.name);
    Scripted scripted;
    scripted.system.answers = {row.length};
    if (row.level != 0) {
      scripted.system.fill = [&row](msghdr* message) {
        cmsghdr* header = CMSG_FIRSTHDR(message);
        header->cmsg_level = row.level;
        header->cmsg_type = row.kind;
        header->cmsg_len = CMSG_LEN(1);
        *CMSG_DATA(header) = row.type;
      };
    }
    uint8_t buffer[64];
    uint8_t type = 99;
    CHECK_EQ(pair.near->ReceiveRecord(buffer, sizeof(buffer), &type), row.length);
    CHECK_EQ(type, row.type);
  }
}

TEST("socket: TLS is attached to TCP sockets only, by its name") {
  Pair unix_pair;
  CHECK_EQ(unix_pair.near->AttachTls(), -EPROTONOSUPPORT);
  for (const int error : {0, ENOENT, EEXIST, ENOTCONN}) {
    tap::Case row(std::strerror(error));
    Pair pair(AF_INET);
    Scripted scripted;
    scripted.system.answers = {0, -error};
    scripted.system.option = [](int, int, void* value, socklen_t*) { *static_cast<int*>(value) = IPPROTO_TCP; };
    CHECK_EQ(pair.near->AttachTls(), -error);
    CHECK_EQ(scripted.system.calls.back(),
             "setsockopt " + std::to_string(IPPROTO_TCP) + " " + std::to_string(TCP_ULP));
    CHECK_EQ(std::string(scripted.system.given.begin(), scripted.system.given.end()), std::string("tls", 4));
  }
}

TEST("socket: what the kernel of this host answers to an attach is passed on as it is") {
  Pair pair(AF_INET);
  pair.far->ShutDownSending();
  // Not established any more, if there is kernel TLS at all.
  const int error = pair.near->AttachTls();
  CHECK(error == -ENOENT || error == -ENOTCONN || error == -ENOPROTOOPT);
}

TEST("socket: the keys of a direction go to its own option, whole") {
  Pair pair;
  const uint8_t secret[32] = {1, 2, 3};
  KernelCryptoInfo info;
  REQUIRE(info.AssignTls13(SSL_get_cipher_by_value(TLS1_CK_AES_128_GCM_SHA256 & 0xffff), secret, 7));
  for (const auto& [direction, option] : {std::pair(KtlsDirection::kTx, TLS_TX), std::pair(KtlsDirection::kRx, TLS_RX)}) {
    for (const int error : {0, EBUSY, EINVAL, ENOMEM, ENOENT}) {
      Scripted scripted;
      scripted.system.answers = {-error};
      CHECK_EQ(pair.near->InstallTls(direction, info), -error);
      CHECK_EQ(Joined(scripted.system.calls), "setsockopt " + std::to_string(kSolTls) + " " + std::to_string(option));
      CHECK(scripted.system.given == Bytes(info.data(), info.size()));
    }
  }
}

TEST("socket: an error that the kernel keeps is forgotten by asking for it") {
  Pair pair(AF_INET);
  pair.far->ResetOnClose();
  pair.far.reset();
  pair.near->ForgetError();
  uint8_t buffer[16];
  // The reset itself would be ECONNRESET; what is left is its effect.
  CHECK_EQ(pair.near->Receive(buffer, sizeof(buffer)), 0);
  CHECK_EQ(pair.near->Send(kAlert, 2), -EPIPE);
}

TEST("socket: there is room to end when nothing is queued, or enough is free, or the kernel will not say") {
  struct Row {
    uint32_t queued;
    uint32_t limit;
    bool room;
  };
  const Row rows[] = {{0, 1000, true},           {0, 0, true},
                      {999, 1000, false},        {700, 1000, false},
                      {600, 1000, true},         {1200, 1000, false},
                      {4'000'000, 4'060'000, false}, {4'000'000, 4'070'000, true}};
  Pair pair;
  for (const Row& row : rows) {
    tap::Case name(std::to_string(row.queued) + " of " + std::to_string(row.limit));
    Scripted scripted;
    scripted.system.answers = {0};
    scripted.system.option = [&row](int, int, void* value, socklen_t*) {
      static_cast<uint32_t*>(value)[SK_MEMINFO_WMEM_QUEUED] = row.queued;
      static_cast<uint32_t*>(value)[SK_MEMINFO_SNDBUF] = row.limit;
    };
    CHECK_EQ(pair.near->HasRoomToEnd(), row.room);
  }
  Scripted scripted;
  scripted.system.answers = {-ENOPROTOOPT};
  CHECK(pair.near->HasRoomToEnd());
}

TEST("socket: data and its end go from one socket to the other") {
  for (const int family : {AF_UNIX, AF_INET}) {
    Pair pair(family);
    uint8_t buffer[16] = {};
    CHECK_EQ(pair.far->Receive(buffer, sizeof(buffer)), -EAGAIN);
    CHECK_EQ(pair.near->Send(kAlert, 2), 2);
    CHECK_EQ(pair.far->Receive(buffer, sizeof(buffer)), 2);
    CHECK_EQ(buffer[1], 20);
    pair.near->ShutDownSending();
    CHECK_EQ(pair.far->Receive(buffer, sizeof(buffer)), 0);
    std::vector<uint8_t> much(8 << 20);
    ptrdiff_t sent = 0;
    ptrdiff_t result = 0;
    while ((result = pair.far->Send(much.data(), much.size())) > 0) sent += result;
    CHECK_EQ(result, -EAGAIN);
    CHECK(sent > 0);
  }
}

}  // namespace
}  // namespace aws_lc
