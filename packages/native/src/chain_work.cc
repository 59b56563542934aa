#include "chain_work.h"

#include <utility>

namespace aws_lc {

ChainWork* ChainWork::Queue(std::shared_ptr<EnvData> env_data, PeerChain peer, Listener* listener) {
  auto* work = new ChainWork(std::move(env_data));
  work->peer_ = std::move(peer);
  work->listener_ = listener;
  work->PoolWork::Queue();
  return work;
}

void ChainWork::Run() { verdict_ = VerifyChain(peer_, nullptr); }

void ChainWork::Finish() { listener_->OnChainVerdict(verdict_); }

}  // namespace aws_lc
