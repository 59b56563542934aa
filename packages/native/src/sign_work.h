// A handshake's signature on libuv's thread pool.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "aws_lc.h"
#include "pool_work.h"

namespace aws_lc {

class SignWork final : public PoolWork {
 public:
  // Called on the loop when the signature is there; it is empty where there is none.
  class Listener {
   public:
    virtual void OnSignature(std::vector<uint8_t> signature) = 0;

   protected:
    ~Listener() = default;
  };

  static SignWork* Queue(std::shared_ptr<EnvData> env_data, bssl::UniquePtr<EVP_PKEY> key, uint16_t algorithm,
                         std::vector<uint8_t> data, Listener* listener);

 private:
  using PoolWork::PoolWork;
  void Run() override;
  void Finish() override;

  bssl::UniquePtr<EVP_PKEY> key_;
  uint16_t algorithm_ = 0;
  std::vector<uint8_t> data_;
  std::vector<uint8_t> signature_;
  Listener* listener_ = nullptr;
};

}  // namespace aws_lc
