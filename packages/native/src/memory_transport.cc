#include "memory_transport.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace aws_lc {

ptrdiff_t MemoryTransport::Send(const uint8_t* data, size_t length) {
  if (delivering_) return -EAGAIN;
  outbound_.insert(outbound_.end(), data, data + length);
  return static_cast<ptrdiff_t>(length);
}

ptrdiff_t MemoryTransport::Receive(uint8_t* out, size_t capacity) {
  if (backlog() == 0) return eof_ ? 0 : -EAGAIN;
  const size_t count = std::min(capacity, backlog());
  std::memcpy(out, inbound_.data() + inbound_offset_, count);
  inbound_offset_ += count;
  if (backlog() == 0) {
    inbound_.clear();
    inbound_offset_ = 0;
  }
  return static_cast<ptrdiff_t>(count);
}

void MemoryTransport::Feed(const uint8_t* data, size_t length) {
  inbound_.insert(inbound_.end(), data, data + length);
}

std::vector<uint8_t> MemoryTransport::TakeOutput() {
  delivering_ = true;
  return std::exchange(outbound_, {});
}

}  // namespace aws_lc
