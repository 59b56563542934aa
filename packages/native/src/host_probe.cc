#include "host_probe.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "kernel_tls.h"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

namespace aws_lc {
namespace {

// Closed with RST (socket(7), SO_LINGER), or each would keep its port for a minute: tcp(7), TIME_WAIT.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {
    const linger reset = {1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  }
  ~OwnedFd() {
    if (fd_ >= 0) close(fd_);
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

int LastError(int result) { return result < 0 ? -errno : 0; }

// A connection with itself: one socket that connects to its own port is ESTABLISHED (RFC 9293, section 3.5) without a
// listener or anybody else to wait for.
int ConnectToSelf(int fd) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) < 0) return -errno;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) return -errno;
  return LastError(connect(fd, reinterpret_cast<sockaddr*>(&address), length));
}

int Attach(int fd) { return LastError(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls"))); }

// What became of one cipher: negated errnos, or 0.
struct CipherResult {
  int tx_error;
  int rx_error;
  int rekey_error;
};

// Keys of zeros: nothing is ever sent under them.
template <typename Info>
CipherResult TryCipher(uint16_t cipher) {
  const OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int error = ConnectToSelf(fd.get());
  if (error == 0) error = Attach(fd.get());
  if (error != 0) return {error, error, error};
  Info info{};
  info.info = {TLS_1_3_VERSION, cipher};
  const auto set = [&](int direction) {
    return LastError(setsockopt(fd.get(), SOL_TLS, direction, &info, sizeof(info)));
  };
  const int tx_error = set(TLS_TX);
  const int rx_error = set(TLS_RX);
  // A kernel that cannot change keys says that the direction has some (EBUSY).
  return {tx_error, rx_error, set(TLS_TX)};
}

}  // namespace

Napi::Value ProbeKernelTls(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int connect_error = fd.get() < 0 ? -errno : ConnectToSelf(fd.get());
  const int attach_error = connect_error == 0 ? Attach(fd.get()) : 0;

  Napi::Array ciphers = Napi::Array::New(env);
  const auto add = [&](const char* name, const CipherResult& result) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", name);
    entry.Set("txError", Napi::Number::New(env, result.tx_error));
    entry.Set("rxError", Napi::Number::New(env, result.rx_error));
    entry.Set("rekeyError", Napi::Number::New(env, result.rekey_error));
    ciphers.Set(ciphers.Length(), entry);
  };
  if (connect_error == 0 && attach_error == 0) {
    add("AES-128-GCM", TryCipher<tls12_crypto_info_aes_gcm_128>(TLS_CIPHER_AES_GCM_128));
    add("AES-256-GCM", TryCipher<tls12_crypto_info_aes_gcm_256>(TLS_CIPHER_AES_GCM_256));
    add("CHACHA20-POLY1305", TryCipher<tls12_crypto_info_chacha20_poly1305>(TLS_CIPHER_CHACHA20_POLY1305));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("connectError", Napi::Number::New(env, connect_error));
  result.Set("attachError", Napi::Number::New(env, attach_error));
  result.Set("ciphers", ciphers);
  return result;
}

}  // namespace aws_lc
