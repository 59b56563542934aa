#include "socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <uv.h>

namespace aws_lc {
SocketAddresses SocketAddresses::Of(int fd) {
  SocketAddresses addresses;
  socklen_t length = sizeof(addresses.local);
  getsockname(fd, &addresses.local.any, &length);
  length = sizeof(addresses.peer);
  getpeername(fd, &addresses.peer.any, &length);
  return addresses;
}

Napi::Object ToObject(Napi::Env env, const SocketAddresses::Address& address) {
  Napi::Object result = Napi::Object::New(env);
  const bool v6 = address.any.sa_family == AF_INET6;
  if (!v6 && address.any.sa_family != AF_INET) return result;
  char name[INET6_ADDRSTRLEN + 1] = {};
  uv_ip_name(&address.any, name, sizeof(name));
  result.Set("address", name);
  result.Set("family", v6 ? "IPv6" : "IPv4");
  result.Set("port", Napi::Number::New(env, ntohs(v6 ? address.v6.sin6_port : address.v4.sin_port)));
  return result;
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
