// The part of the engine that waits in the middle of a handshake for somebody's answer.
#include <cerrno>
#include <utility>

#include "engine.h"

namespace aws_lc {
namespace {

// What a peer can have sent ahead of an answer that it waits for itself; more is a peer that does not wait.
constexpr size_t kMaxKeptWhileWaiting = ScratchBuffers::kReadAhead;

}  // namespace

std::optional<Answer> Engine::Ask(Question question) {
  if (answer_.has_value()) return std::exchange(answer_, std::nullopt);
  question_ = std::move(question);
  return std::nullopt;
}

void Engine::Give(Answer answer) {
  if (state_ == State::kWaiting) answer_ = std::move(answer);
}

void Engine::Refuse(uint8_t alert) {
  ERR_clear_error();
  SSL_send_fatal_alert(ssl_.get(), alert);
  ERR_clear_error();
  OPENSSL_PUT_ERROR(SSL, SSL_R_CONNECTION_REJECTED);
  FailFromLibrary();
}

bool Engine::listens_while_waiting() const {
  return state_ == State::kWaiting && !heard_end_ && stash_.size() - stash_offset_ < kMaxKeptWhileWaiting;
}

void Engine::ListenWhileWaiting() {
  if (!listens_while_waiting()) return;
  std::vector<uint8_t>& inbound = scratch_->inbound;
  const ptrdiff_t count = transport_->Receive(inbound.data(), inbound.size());
  if (count > 0) {
    stash_.insert(stash_.end(), inbound.data(), inbound.data() + count);
  } else if (count == 0) {
    heard_end_ = true;
    // A client has more to send before its handshake is over, unless nothing of the server's is outstanding: behind its
    // certificate, the rest of its handshake and all of its request may have come. A server may have said all that it has
    // to say.
    if (config_.is_server && SSL_in_init(ssl_.get()) && question_.kind != QuestionKind::kChain) Fail(TlsError::Eof());
  } else if (count != -EAGAIN) {
    Fail(TlsError::System("read", static_cast<int>(-count)));
  }
}

}  // namespace aws_lc
