#include "wire.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace aws_lc {

void WireEnd::ConnectTo(WireEnd* peer) {
  peer_ = peer;
  peer->peer_ = this;
}

ptrdiff_t WireEnd::Send(const uint8_t* data, size_t length) {
  if (send_error != 0) return send_error;
  const size_t taken = std::min(length, room);
  if (taken == 0 && length > 0) return -EAGAIN;
  if (room != kUnlimited) room -= taken;
  peer_->inbound.insert(peer_->inbound.end(), data, data + taken);
  return static_cast<ptrdiff_t>(taken);
}

ptrdiff_t WireEnd::Receive(uint8_t* out, size_t capacity) {
  if (inbound.empty()) {
    if (receive_error != 0) return receive_error;
    return inbound_ended ? 0 : -EAGAIN;
  }
  const std::vector<uint8_t> bytes = TakeInbound(std::min({capacity, inbound.size(), receive_at_most}));
  std::memcpy(out, bytes.data(), bytes.size());
  return static_cast<ptrdiff_t>(bytes.size());
}

std::vector<uint8_t> WireEnd::TakeInbound(size_t length) {
  const auto end = inbound.begin() + static_cast<ptrdiff_t>(length);
  std::vector<uint8_t> taken(inbound.begin(), end);
  inbound.erase(inbound.begin(), end);
  return taken;
}

}  // namespace aws_lc
