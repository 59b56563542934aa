#include "socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <uv.h>

namespace aws_lc {
namespace {

Napi::Object ToObject(Napi::Env env, const sockaddr_storage& storage) {
  Napi::Object result = Napi::Object::New(env);
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) return result;
  char name[INET6_ADDRSTRLEN + 1] = {};
  uv_ip_name(reinterpret_cast<const sockaddr*>(&storage), name, sizeof(name));
  const bool v6 = storage.ss_family == AF_INET6;
  const uint16_t port = v6 ? reinterpret_cast<const sockaddr_in6&>(storage).sin6_port
                           : reinterpret_cast<const sockaddr_in&>(storage).sin_port;
  result.Set("address", name);
  result.Set("family", v6 ? "IPv6" : "IPv4");
  result.Set("port", Napi::Number::New(env, ntohs(port)));
  return result;
}

}  // namespace

Napi::Object PeerAddress(Napi::Env env, int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length);
  return ToObject(env, storage);
}

Napi::Object LocalAddress(Napi::Env env, int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length);
  return ToObject(env, storage);
}

void SetTcpNoDelay(int fd, bool enable) {
  const int value = enable ? 1 : 0;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value));
}

void SetTcpKeepAlive(int fd, bool enable, int initial_delay_seconds) {
  const int value = enable ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof(value));
  if (!enable || initial_delay_seconds <= 0) return;
  // The interval and count that libuv sets, so that a dead peer is found as soon as it is behind a net.Socket.
  const int interval = 1;
  const int count = 10;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &initial_delay_seconds, sizeof(initial_delay_seconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

}  // namespace aws_lc
