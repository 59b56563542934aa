// The random generator's first seed, made where nobody waits for it.
#pragma once

#include <memory>

#include "env_data.h"
#include "pool_work.h"

namespace aws_lc {

// AWS-LC gathers it from the jitter of the processor's timing, once in a process and when the first random byte is wanted:
// some 40 ms, which would be the event loop's.
class EntropyWork final : public PoolWork {
 public:
  // Begins it, unless another environment of the process has.
  static void QueueOnce(std::shared_ptr<EnvData> env_data);

 private:
  using PoolWork::PoolWork;
  void Run() override;
  void Finish() override {}
};

}  // namespace aws_lc
