// The socket options and addresses that net.Socket offers, for a descriptor of our own.
#pragma once

#include <napi.h>

namespace aws_lc {

// { address, family, port }, or an empty object where the socket has no such address (Unix sockets, disconnected).
Napi::Object PeerAddress(Napi::Env env, int fd);
Napi::Object LocalAddress(Napi::Env env, int fd);

// tcp(7) TCP_NODELAY
void SetTcpNoDelay(int fd, bool enable);
// socket(7) SO_KEEPALIVE and tcp(7) TCP_KEEPIDLE; seconds of zero leave the system's delay.
void SetTcpKeepAlive(int fd, bool enable, int initial_delay_seconds);

}  // namespace aws_lc
