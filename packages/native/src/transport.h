// Where ciphertext goes to and comes from. The engine knows nothing else of the world.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aws_lc {

// Results follow send(2) and recv(2): a count, zero for end of stream (receive only), or a negated errno; -EAGAIN says
// that the caller has to wait for the transport to become ready.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual ptrdiff_t Send(const uint8_t* data, size_t length) = 0;
  virtual ptrdiff_t Receive(uint8_t* out, size_t capacity) = 0;
};

}  // namespace aws_lc
