#include "pool_work.h"

#include <utility>

namespace aws_lc {

PoolWork::PoolWork(std::shared_ptr<EnvData> env_data) : env_data_(std::move(env_data)) { request_.data = this; }

void PoolWork::Queue() {
  env_data_->HandleClosing();
  env_data_->pool_progress().Queued();
  uv_queue_work(
      env_data_->loop(), &request_, [](uv_work_t* request) { static_cast<PoolWork*>(request->data)->Run(); }, OnDone);
}

void PoolWork::Abandon() {
  abandoned_ = true;
  TryCancel();
}

void PoolWork::OnDone(uv_work_t* request, int /*status*/) {
  auto* work = static_cast<PoolWork*>(request->data);
  const std::shared_ptr<EnvData> env_data = work->env_data_;
  env_data->pool_progress().Answered();
  if (!work->abandoned_) work->Finish();
  delete work;
  env_data->HandleClosed();
}

}  // namespace aws_lc
