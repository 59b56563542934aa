// What one JavaScript environment (the main thread or a worker) owns: its event loop, the callbacks into JavaScript,
// the shared buffers and the list of live connections, so that all of them can be closed before the environment goes.
#pragma once

#include <napi.h>
#include <uv.h>

#include <array>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine.h"
#include "pool_progress.h"

namespace aws_lc {

class Connection;

// The functions that lib/index.d.ts calls ConnectionCallbacks; each is called with the connection's owner as `this`.
enum class Callback : uint8_t {
  kHandshake,
  kQuestion,
  kRead,
  kEnd,
  kWritten,
  kError,
  kOutput,
  kSession,
  kPlaintextEnd,
  kKeyLog,
  kTrace,
  kCount
};

class EnvData : public std::enable_shared_from_this<EnvData> {
 public:
  // Registers the clean-up with the environment. Call once, from the addon's initialisation.
  static void Create(Napi::Env env);
  static EnvData* From(Napi::Env env);

  explicit EnvData(Napi::Env env);

  uv_loop_t* loop() const { return loop_; }
  PoolProgress& pool_progress() { return pool_progress_; }
  ScratchBuffers* scratch() { return &scratch_; }
  napi_value callback(Callback which) const { return callbacks_[static_cast<size_t>(which)].Value(); }

  void SetCallbacks(const Napi::Object& callbacks);
  void SetReadSlab(const Napi::Uint8Array& slab);
  void SetWriteSlab(const Napi::Uint8Array& slab);
  uint8_t* read_slab() const { return read_slab_; }
  size_t read_slab_length() const { return read_slab_length_; }
  const uint8_t* write_slab() const { return write_slab_; }

  // What a version, suite and group are called, by their numbers; empty until somebody has made it.
  Napi::ObjectReference& agreement(uint64_t key) { return agreements_[key]; }

  void KeepUntilTheEnd(std::shared_ptr<void> object) { kept_.push_back(std::move(object)); }

  void Add(Connection* connection) { connections_.insert(connection); }
  void Remove(Connection* connection) { connections_.erase(connection); }

  // A uv handle being closed keeps the environment waiting.
  void HandleClosing() { closing_handles_++; }
  void HandleClosed();

 private:
  static void CleanUp(napi_async_cleanup_hook_handle handle, void* arg);

  Napi::Env env_;
  uv_loop_t* const loop_;
  PoolProgress pool_progress_;
  ScratchBuffers scratch_;
  std::array<Napi::FunctionReference, static_cast<size_t>(Callback::kCount)> callbacks_;
  Napi::Reference<Napi::Uint8Array> read_slab_reference_;
  Napi::Reference<Napi::Uint8Array> write_slab_reference_;
  uint8_t* read_slab_ = nullptr;
  size_t read_slab_length_ = 0;
  const uint8_t* write_slab_ = nullptr;
  std::unordered_map<uint64_t, Napi::ObjectReference> agreements_;
  std::unordered_set<Connection*> connections_;
  std::vector<std::shared_ptr<void>> kept_;
  size_t closing_handles_ = 0;
  bool cleaning_up_ = false;
  napi_async_cleanup_hook_handle cleanup_hook_ = nullptr;
};

}  // namespace aws_lc
