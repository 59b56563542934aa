// How often a peer may change its keys while it sends nothing under them.
#pragma once

#include <chrono>

namespace aws_lc {

// Each KeyUpdate costs us a derivation and a key schedule, and the peer nothing: CVE after CVE in proxies. libssl itself
// bears any number of them. One now and then on a connection that is idle does no harm, so time forgives as data does.
class KeyUpdateLimit {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr unsigned kMost = 128;
  static constexpr std::chrono::seconds kWithin{60};

  // Counts one more; false where it is one too many.
  bool Admit(Clock::time_point now = Clock::now()) {
    if (now - since_ >= kWithin) {
      since_ = now;
      count_ = 0;
    }
    return ++count_ <= kMost;
  }

  // Application data has come.
  void Forgive() { count_ = 0; }

 private:
  unsigned count_ = 0;
  Clock::time_point since_;
};

}  // namespace aws_lc
