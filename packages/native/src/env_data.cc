#include "env_data.h"

#include "connection.h"

namespace aws_lc {
namespace {

constexpr std::array<const char*, static_cast<size_t>(Callback::kCount)> kCallbackNames = {
    "onHandshake", "onQuestion", "onRead",    "onEnd",          "onWritten",
    "onError",     "onOutput",   "onSession", "onPlaintextEnd", "onKeyLog",
    "onTrace"};

uv_loop_t* LoopOf(Napi::Env env) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  return loop;
}

}  // namespace

EnvData::EnvData(Napi::Env env) : env_(env), loop_(LoopOf(env)), pool_progress_(loop_) {}

void EnvData::Create(Napi::Env env) {
  // Shared: handles that are still closing when the instance data goes refer to it from the event loop.
  auto* holder = new std::shared_ptr<EnvData>(std::make_shared<EnvData>(env));
  napi_set_instance_data(
      env, holder, [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<EnvData>*>(data); }, nullptr);
  napi_add_async_cleanup_hook(env, CleanUp, holder->get(), &(*holder)->cleanup_hook_);
}

EnvData* EnvData::From(Napi::Env env) {
  void* holder = nullptr;
  napi_get_instance_data(env, &holder);
  return static_cast<std::shared_ptr<EnvData>*>(holder)->get();
}

void EnvData::SetCallbacks(const Napi::Object& callbacks) {
  for (size_t i = 0; i < callbacks_.size(); i++) {
    callbacks_[i] = Napi::Persistent(callbacks.Get(kCallbackNames[i]).As<Napi::Function>());
  }
}

void EnvData::SetReadSlab(const Napi::Uint8Array& slab) {
  read_slab_reference_ = Napi::Reference<Napi::Uint8Array>::New(slab, 1);
  read_slab_ = const_cast<Napi::Uint8Array&>(slab).Data();
  read_slab_length_ = slab.ElementLength();
}

void EnvData::SetWriteSlab(const Napi::Uint8Array& slab) {
  write_slab_reference_ = Napi::Reference<Napi::Uint8Array>::New(slab, 1);
  write_slab_ = const_cast<Napi::Uint8Array&>(slab).Data();
}

void EnvData::HandleClosed() {
  closing_handles_--;
  if (cleaning_up_ && closing_handles_ == 0) napi_remove_async_cleanup_hook(cleanup_hook_);
}

void EnvData::CleanUp(napi_async_cleanup_hook_handle /*handle*/, void* arg) {
  auto* data = static_cast<EnvData*>(arg);
  data->cleaning_up_ = true;
  // A placeholder, so that the last handle closed below does not end the wait before the next one has begun.
  data->HandleClosing();
  const std::unordered_set<Connection*> connections = std::move(data->connections_);
  data->connections_.clear();
  for (Connection* connection : connections) connection->CloseForTeardown();
  for (Napi::FunctionReference& callback : data->callbacks_) callback.Reset();
  data->agreements_.clear();
  data->kept_.clear();
  data->read_slab_reference_.Reset();
  data->write_slab_reference_.Reset();
  data->HandleClosed();
}

}  // namespace aws_lc
