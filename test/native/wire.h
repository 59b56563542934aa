// An in-memory connection between two engines: the network of these tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "transport.h"

namespace aws_lc {

constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();

// One end of it. As it is, a transport without kernel TLS.
class WireEnd : public Transport {
 public:
  void ConnectTo(WireEnd* peer);

  ptrdiff_t Send(const uint8_t* data, size_t length) override;
  ptrdiff_t Receive(uint8_t* out, size_t capacity) override;

  // Whether poll(2) would say so.
  virtual bool readable() const { return !inbound.empty(); }

  // What this end has been sent and has not read.
  std::vector<uint8_t> inbound;
  // The peer will send no more.
  bool inbound_ended = false;

  // Bytes that Send() takes before it answers -EAGAIN.
  size_t room = kUnlimited;
  // Bytes that one Receive() gives at most.
  size_t receive_at_most = kUnlimited;
  // A negated errno that ends it all, or zero.
  int send_error = 0;
  int receive_error = 0;

 protected:
  WireEnd* peer() const { return peer_; }
  std::vector<uint8_t> TakeInbound(size_t length);

 private:
  WireEnd* peer_ = nullptr;
};

}  // namespace aws_lc
