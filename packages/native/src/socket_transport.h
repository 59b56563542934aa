// The system calls of a connection on a socket: send(2), recv(2) and kernel TLS, Documentation/networking/tls.rst.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <utility>

#include "descriptor.h"
#include "transport.h"

namespace aws_lc {

class SocketTransport : public Transport {
 public:
  explicit SocketTransport(std::shared_ptr<const Descriptor> descriptor) : descriptor_(std::move(descriptor)) {}

  ptrdiff_t Send(const uint8_t* data, size_t length) override;
  ptrdiff_t Receive(uint8_t* out, size_t capacity) override;

  int AttachTls() override;
  int InstallTls(KtlsDirection direction, const KernelCryptoInfo& info) override;
  ptrdiff_t SendRecord(uint8_t type, const uint8_t* data, size_t length) override;
  ptrdiff_t ReceiveRecord(uint8_t* out, size_t capacity, uint8_t* type) override;
  void ForgetError() override;
  bool HasRoomToEnd() override;
  bool IsGone() override { return IsSocketGone(fd()); }
  // The same of any socket; any thread may ask.
  static bool IsSocketGone(int fd);

  int fd() const { return descriptor_->fd(); }
  const std::shared_ptr<const Descriptor>& descriptor() const { return descriptor_; }
  // Makes closing send RST and drop what is unsent: socket(7) SO_LINGER.
  void ResetOnClose();
  // What is sent from here on waits for ShutDownSending(), so that the end goes along in the same segment: send(2)
  // MSG_MORE.
  void HoldUntilEnd() { send_flags_ |= MSG_MORE; }
  // shutdown(2) of the sending half.
  void ShutDownSending();

 private:
  const std::shared_ptr<const Descriptor> descriptor_;
  int send_flags_ = MSG_NOSIGNAL;
};

}  // namespace aws_lc
