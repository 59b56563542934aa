// The part of a connection that moves plaintext between the peer and a socket pair, see plaintext_socket.h.
#include <algorithm>
#include <cerrno>

#include "connection.h"
#include "js_error.h"
#include "js_values.h"

namespace aws_lc {
namespace {

// Plaintext sealed in one turn of the event loop before the other connections are served.
constexpr size_t kPumpPerTurn = 256 * 1024;

}  // namespace

// openPlaintextSocket(what was read before, or undefined)
Napi::Value Connection::OpenPlaintextSocket(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int other_end = -1;
  int error = ENOTCONN;
  if (IsOpen() && fd_transport_ != nullptr) {
    plaintext_ = PlaintextSocket::Open(env_data_.get(), &plaintext_listener_, &other_end, &error);
  }
  if (plaintext_ == nullptr) {
    ThrowSystemError(env, error);
    return env.Undefined();
  }
  if (info[0].IsTypedArray()) {
    const ByteView before = ToBytes(info[0]);
    plaintext_->Put(before.data(), before.size());
  }
  if (read_ended_) plaintext_->EndPut();
  Step step(this, true);
  if (engine_->HasBufferedInput()) PumpFromPeer();
  return Napi::Number::New(env, other_end);
}

Napi::Value Connection::PumpedBytes(const Napi::CallbackInfo& info) {
  Napi::Array bytes = Napi::Array::New(info.Env(), 2);
  bytes.Set(0u, Napi::Number::New(info.Env(), plaintext_ == nullptr ? 0 : static_cast<double>(plaintext_->bytes_put())));
  bytes.Set(1u,
            Napi::Number::New(info.Env(), plaintext_ == nullptr ? 0 : static_cast<double>(plaintext_->bytes_taken())));
  return bytes;
}

void Connection::OnPlaintextReady(bool readable, bool writable) {
  Napi::HandleScope scope(Env());
  Step step(this, false);
  if (writable) {
    plaintext_->Drain();
    // What the engine has read ahead, no readiness of the peer's socket announces.
    if (plaintext_->TakesMore() && engine_->HasBufferedInput()) PumpFromPeer();
  }
  if (!readable || !IsOpen() || plaintext_->take_ended() || engine_->state() != Engine::State::kOpen) return;
  switch (PumpToPeer()) {
    case Pumped::kAllThereIs:
      return;
    case Pumped::kToTheEnd:
      Emit(Callback::kPlaintextEnd);
      return;
    case Pumped::kFailed:
      EmitError();
  }
}

void Connection::PumpFromPeer() {
  std::vector<uint8_t>& buffer = env_data_->scratch()->pump;
  while (IsOpen() && !read_ended_ && plaintext_->TakesMore()) {
    const Engine::ReadResult result = engine_->Read(buffer.data(), buffer.size());
    const bool answered = FlushAnswers();
    switch (result.status) {
      case Engine::ReadStatus::kData:
        plaintext_->Put(buffer.data(), result.length);
        if (answered && engine_->HasBufferedInput()) break;
        [[fallthrough]];
      case Engine::ReadStatus::kWantRead:
        EmitNewSessions();
        if (IsOpen() && !answered) EmitError();
        return;
      case Engine::ReadStatus::kCloseNotify:
      case Engine::ReadStatus::kEof:
        plaintext_->EndPut();
        EmitEnd(result.status == Engine::ReadStatus::kCloseNotify);
        return;
      case Engine::ReadStatus::kError:
        EmitError();
        return;
    }
  }
}

Connection::Pumped Connection::PumpToPeer() {
  std::vector<uint8_t>& buffer = env_data_->scratch()->pump;
  for (size_t moved = 0; moved < kPumpPerTurn && !engine_->HasUnsent();) {
    const ptrdiff_t count = plaintext_->Take(buffer.data(), buffer.size());
    if (count == -EAGAIN) break;
    if (count == 0) return Pumped::kToTheEnd;
    if (!SealPumped(buffer.data(), static_cast<size_t>(count))) return Pumped::kFailed;
    // A short read has emptied the socket.
    if (static_cast<size_t>(count) < buffer.size()) break;
    moved += static_cast<size_t>(count);
  }
  return Pumped::kAllThereIs;
}

bool Connection::SealPumped(const uint8_t* data, size_t length) {
  while (length > 0) {
    const size_t sealed = engine_->Seal(data, length);
    if (sealed == 0) return false;
    data += sealed;
    length -= sealed;
  }
  return Flush() != Engine::FlushStatus::kError;
}

}  // namespace aws_lc
