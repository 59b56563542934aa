// The part of the engine that keeps sessions and says what they are good for.
#include <utility>

#include "engine.h"

namespace aws_lc {

void Engine::BindSession(const std::string& server_identity) {
  SHA256_CTX hash;
  uint8_t binding[SHA256_DIGEST_LENGTH];
  SHA256_Init(&hash);
  SHA256_Update(&hash, config_.session_binding.data(), config_.session_binding.size());
  SHA256_Update(&hash, server_identity.data(), server_identity.size());
  SHA256_Final(binding, &hash);
  // libssl keeps it in the session and serialises it along.
  SSL_set_session_id_context(ssl_.get(), binding, sizeof(binding));
}

bool Engine::OfferSession(const uint8_t* data, size_t length) {
  bssl::UniquePtr<SSL_SESSION> session(SSL_SESSION_from_bytes(data, length, config_.ctx));
  if (session == nullptr) return false;
  unsigned bound_length = 0;
  size_t own_length = 0;
  const uint8_t* bound = SSL_SESSION_get0_id_context(session.get(), &bound_length);
  const uint8_t* own = SSL_get0_session_id_context(ssl_.get(), &own_length);
  // libssl would offer it, and fail when the server takes it up.
  if (bound_length != own_length || CRYPTO_memcmp(bound, own, own_length) != 0) return true;
  return SSL_set_session(ssl_.get(), session.get()) == 1;
}

int Engine::OnNewSession(SSL* ssl, SSL_SESSION* session) {
  Engine* engine = From(ssl);
  if (engine != nullptr) engine->KeepSession(session);
  return 0;  // libssl keeps its reference
}

void Engine::KeepSession(SSL_SESSION* session) {
  if (!keeps_sessions_) return;
  uint8_t* bytes = nullptr;
  size_t length = 0;
  if (!SSL_SESSION_to_bytes(session, &bytes, &length)) return;
  new_sessions_.emplace_back(bytes, bytes + length);
  OPENSSL_free(bytes);
}

std::vector<std::vector<uint8_t>> Engine::TakeNewSessions() { return std::exchange(new_sessions_, {}); }

}  // namespace aws_lc
