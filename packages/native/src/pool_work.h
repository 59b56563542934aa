// One piece of work on libuv's thread pool, for somebody on the loop who may go before it is done.
#pragma once

#include <uv.h>

#include <memory>

#include "env_data.h"

namespace aws_lc {

class PoolWork {
 public:
  PoolWork(const PoolWork&) = delete;
  PoolWork& operator=(const PoolWork&) = delete;

  // Nobody is interested any more: the work is called off, or its outcome dropped. What it uses stays until then.
  void Abandon();
  // Calls the work off if it has not begun; Finish() is called either way.
  void TryCancel() { uv_cancel(reinterpret_cast<uv_req_t*>(&request_)); }

 protected:
  explicit PoolWork(std::shared_ptr<EnvData> env_data);
  virtual ~PoolWork() = default;

  // The object belongs to the loop from here on. The environment waits for it.
  void Queue();

 private:
  // On a thread of the pool.
  virtual void Run() = 0;
  // On the loop, unless the work was abandoned.
  virtual void Finish() = 0;
  static void OnDone(uv_work_t* request, int status);

  uv_work_t request_ = {};
  std::shared_ptr<EnvData> env_data_;
  bool abandoned_ = false;
};

}  // namespace aws_lc
