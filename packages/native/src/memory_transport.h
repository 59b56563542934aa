// Ciphertext through JavaScript: a transport that is any Duplex.
#pragma once

#include <cstdint>
#include <vector>

#include "transport.h"

namespace aws_lc {

class MemoryTransport final : public Transport {
 public:
  ptrdiff_t Send(const uint8_t* data, size_t length) override;
  ptrdiff_t Receive(uint8_t* out, size_t capacity) override;

  void Feed(const uint8_t* data, size_t length);
  void FeedEof() { eof_ = true; }
  bool at_eof() const { return eof_; }
  // Input that Receive() has not taken yet; the Duplex should wait with more.
  size_t backlog() const { return inbound_.size() - inbound_offset_; }

  // What is to be handed to the Duplex; nothing more is taken from the engine until Delivered().
  std::vector<uint8_t> TakeOutput();
  bool HasOutput() const { return !outbound_.empty(); }
  void Delivered() { delivering_ = false; }

 private:
  std::vector<uint8_t> inbound_;
  size_t inbound_offset_ = 0;
  std::vector<uint8_t> outbound_;
  bool delivering_ = false;
  bool eof_ = false;
};

}  // namespace aws_lc
