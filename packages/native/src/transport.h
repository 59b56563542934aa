// Where ciphertext goes to and comes from, and the seam to the kernel: every system call that TLS makes on a connection
// is one of these methods, so that a test can stand in for the network and the kernel.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "kernel_tls.h"

namespace aws_lc {

// Results follow send(2) and recv(2): a count, zero for end of stream (receive only), or a negated errno; -EAGAIN says
// that the caller has to wait for the transport to become ready.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual ptrdiff_t Send(const uint8_t* data, size_t length) = 0;
  virtual ptrdiff_t Receive(uint8_t* out, size_t capacity) = 0;

  // Kernel TLS. After AttachTls() and InstallTls() succeeded, Send() takes plaintext (kTx) and ReceiveRecord() gives
  // plaintext (kRx). All answer zero or a negated errno; a transport that is no TCP socket has none of it.
  virtual int AttachTls() { return -EPROTONOSUPPORT; }
  virtual int InstallTls(KtlsDirection, const KernelCryptoInfo&) { return -EPROTONOSUPPORT; }
  // One record of a type other than application data.
  virtual ptrdiff_t SendRecord(uint8_t /*type*/, const uint8_t* /*data*/, size_t /*length*/) { return -EOPNOTSUPP; }
  // Any number of application-data records, or exactly one other; *type is zero at the end of the stream.
  virtual ptrdiff_t ReceiveRecord(uint8_t* /*out*/, size_t /*capacity*/, uint8_t* /*type*/) { return -EOPNOTSUPP; }
  // Forgets a failure that the kernel keeps for the next call to report, whichever that is.
  virtual void ForgetError() {}
  // Whether what the kernel has sealed is sure to fit into the socket's buffer, see FdTransport.
  virtual bool HasRoomToEnd() { return true; }
  // Whether the peer has reset the connection, which a send to a kernel-TLS socket may conceal, see SocketTransport.
  virtual bool IsGone() { return false; }
};

}  // namespace aws_lc
