// Plaintext through a socket pair. node:http2 runs its sessions on libuv handles; over a stream made of JavaScript every
// frame becomes a Buffer, which costs more than the TLS does. So such a session is given one end of a socket pair, and
// the connection moves bytes between the other end and its engine without entering JavaScript.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "env_data.h"
#include "fd_transport.h"

namespace aws_lc {

class PlaintextSocket final {
 public:
  // Sets *other_end to a descriptor that is the caller's. Answers null and sets *error to an errno on failure.
  static std::unique_ptr<PlaintextSocket> Open(EnvData* env_data, FdTransport::Listener* listener, int* other_end,
                                               int* error);

  // Takes all of it; what the socket has no room for is kept, and TakesMore() is false until it has left.
  void Put(const uint8_t* data, size_t length);
  // What comes from the peer has ended.
  void EndPut();
  bool TakesMore() const { return held_offset_ == held_.size(); }
  // Sends what was kept.
  void Drain();

  // A count, zero at the end, -EAGAIN when there is nothing now.
  ptrdiff_t Take(uint8_t* out, size_t capacity);
  bool take_ended() const { return take_ended_; }

  void Watch(bool may_take);
  void SetReferenced(bool referenced) { transport_->SetReferenced(referenced); }
  uint64_t bytes_put() const { return bytes_put_; }
  uint64_t bytes_taken() const { return bytes_taken_; }

 private:
  PlaintextSocket() = default;

  std::unique_ptr<FdTransport> transport_;
  std::vector<uint8_t> held_;
  size_t held_offset_ = 0;
  bool put_ended_ = false;
  bool take_ended_ = false;
  uint64_t bytes_put_ = 0;
  uint64_t bytes_taken_ = 0;
};

}  // namespace aws_lc
