// The socket options and addresses that net.Socket offers, for a descriptor of our own.
#pragma once

#include <napi.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace aws_lc {

// The addresses of a connection's two ends.
struct SocketAddresses {
  // Of IPv4 or IPv6; the family of neither where there is no such address (Unix sockets, disconnected).
  union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Address local{};
  Address peer{};

  static SocketAddresses Of(int fd);
};

// { address, family, port }, or an empty object where there is no such address.
Napi::Object ToObject(Napi::Env env, const SocketAddresses::Address& address);

// tcp(7) TCP_NODELAY
void SetTcpNoDelay(int fd, bool enable);
// socket(7) SO_KEEPALIVE and tcp(7) TCP_KEEPIDLE; seconds of zero leave the system's delay.
void SetTcpKeepAlive(int fd, bool enable, int initial_delay_seconds);

}  // namespace aws_lc
