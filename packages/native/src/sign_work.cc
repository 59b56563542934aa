#include "sign_work.h"

#include <utility>

#include "signature.h"

namespace aws_lc {

SignWork* SignWork::Queue(std::shared_ptr<EnvData> env_data, bssl::UniquePtr<EVP_PKEY> key, uint16_t algorithm,
                          std::vector<uint8_t> data, Listener* listener) {
  auto* work = new SignWork(std::move(env_data));
  work->key_ = std::move(key);
  work->algorithm_ = algorithm;
  work->data_ = std::move(data);
  work->listener_ = listener;
  work->PoolWork::Queue();
  return work;
}

void SignWork::Run() {
  signature_ = Sign(key_.get(), algorithm_, data_);
  ERR_clear_error();
}

void SignWork::Finish() { listener_->OnSignature(std::move(signature_)); }

}  // namespace aws_lc
