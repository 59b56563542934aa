// Whether libuv's thread pool gets on with what it is given: it is everybody's, and file systems and name servers that do
// not answer can hold all of its threads.
#pragma once

#include <uv.h>

#include <cstdint>

namespace aws_lc {

class PoolProgress {
 public:
  explicit PoolProgress(const uv_loop_t* loop) : loop_(loop) {}

  void Queued() {
    if (outstanding_++ == 0) last_ = uv_now(loop_);
  }
  void Answered() {
    outstanding_--;
    last_ = uv_now(loop_);
  }
  // Whether it owes answers and has given none for so long that more had better not wait for it.
  bool IsStuck() const { return outstanding_ > 0 && uv_now(loop_) - last_ > kPatience; }

 private:
  // Milliseconds: many times what any work of ours takes.
  static constexpr uint64_t kPatience = 50;

  const uv_loop_t* const loop_;
  unsigned outstanding_ = 0;
  uint64_t last_ = 0;
};

}  // namespace aws_lc
