#include "entropy_work.h"

#include <openssl/rand.h>

#include <mutex>
#include <utility>

#include "aws_lc.h"

namespace aws_lc {

void EntropyWork::QueueOnce(std::shared_ptr<EnvData> env_data) {
  static std::once_flag once;
  std::call_once(once, [&env_data] { (new EntropyWork(std::move(env_data)))->Queue(); });
}

void EntropyWork::Run() {
  uint8_t byte;
  RAND_bytes(&byte, sizeof(byte));
}

}  // namespace aws_lc
