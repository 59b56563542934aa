// The verification of a peer's chain on libuv's thread pool.
#pragma once

#include <memory>

#include "pool_work.h"
#include "verification.h"

namespace aws_lc {

class ChainWork final : public PoolWork {
 public:
  // Called on the loop when the verdict is there.
  class Listener {
   public:
    virtual void OnChainVerdict(long verdict) = 0;

   protected:
    ~Listener() = default;
  };

  static ChainWork* Queue(std::shared_ptr<EnvData> env_data, PeerChain peer, Listener* listener);

 private:
  using PoolWork::PoolWork;
  void Run() override;
  void Finish() override;

  PeerChain peer_;
  Listener* listener_ = nullptr;
  long verdict_ = X509_V_ERR_UNSPECIFIED;
};

}  // namespace aws_lc
