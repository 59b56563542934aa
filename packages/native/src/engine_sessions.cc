// The part of the engine that keeps sessions and says what they are good for.
#include <array>
#include <string>
#include <utility>

#include "engine.h"
#include "server_name.h"

namespace aws_lc {
namespace {

using NameDigest = std::array<uint8_t, SHA256_DIGEST_LENGTH>;

// Goes into the store behind each session, which is good for the name that it was made under and for no other (RFC 6066,
// section 3).
NameDigest DigestOfName(const SSL* ssl) {
  const std::string name = FoldedServerName(ssl);
  NameDigest digest;
  SHA256(reinterpret_cast<const uint8_t*>(name.data()), name.size(), digest.data());
  return digest;
}

}  // namespace

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

bool Engine::OffersSingleUse() const {
  const SSL_SESSION* session = SSL_get_session(ssl_.get());
  return session != nullptr && SSL_SESSION_should_be_single_use(session) != 0;
}

int Engine::OnNewSession(SSL* ssl, SSL_SESSION* session) {
  Engine* engine = From(ssl);
  if (engine == nullptr) return 0;
  if (engine->config_.is_server) {
    engine->KeepSessionToStore(session);
  } else {
    engine->KeepSession(session);
  }
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

// --- a store outside, for sessions that a server finds by their ids (RFC 5246, section 7.3) ---------------------------

void Engine::InstallSessionStore(SSL_CTX* ctx) {
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_get_cb(ctx, OnFindSession);
}

SSL_SESSION* Engine::OnFindSession(SSL* ssl, const uint8_t* id, int id_length, int* out_copy) {
  *out_copy = 0;  // libssl takes over the reference
  return From(ssl)->FindSession(id, static_cast<size_t>(id_length));
}

SSL_SESSION* Engine::FindSession(const uint8_t* id, size_t id_length) {
  const std::optional<Answer> answer = Ask({QuestionKind::kFindSession, 0, {}, {id, id + id_length}});
  if (!answer.has_value()) return SSL_magic_pending_session_ptr();
  const NameDigest name = DigestOfName(ssl_.get());
  if (answer->bytes.size() <= name.size()) return nullptr;
  const size_t length = answer->bytes.size() - name.size();
  if (CRYPTO_memcmp(answer->bytes.data() + length, name.data(), name.size()) != 0) return nullptr;
  bssl::UniquePtr<SSL_SESSION> session(
      SSL_SESSION_from_bytes(answer->bytes.data(), length, SSL_get_SSL_CTX(ssl_.get())));
  ERR_clear_error();
  if (session == nullptr) return nullptr;
  // Another client's session would be one that this client has no secret of.
  unsigned own_length = 0;
  const uint8_t* own = SSL_SESSION_get_id(session.get(), &own_length);
  if (own_length != id_length || CRYPTO_memcmp(own, id, id_length) != 0) return nullptr;
  return session.release();
}

void Engine::KeepSessionToStore(SSL_SESSION* session) {
  unsigned id_length = 0;
  const uint8_t* id = SSL_SESSION_get_id(session, &id_length);
  // A session in a ticket has none.
  if (!config_.stores_sessions || id_length == 0) return;
  uint8_t* bytes = nullptr;
  size_t length = 0;
  if (!SSL_SESSION_to_bytes(session, &bytes, &length)) return;
  session_to_store_ = {QuestionKind::kStoreSession, id_length, {}, {id, id + id_length}};
  std::vector<uint8_t>& data = session_to_store_.data;
  data.insert(data.end(), bytes, bytes + length);
  const NameDigest name = DigestOfName(ssl_.get());
  data.insert(data.end(), name.begin(), name.end());
  OPENSSL_free(bytes);
}

// Answers whether the handshake can be completed: nothing of a new session is kept, or it has been.
bool Engine::StoreSession() {
  if (session_to_store_.kind == QuestionKind::kNone) return true;
  return Ask(session_to_store_).has_value();
}

}  // namespace aws_lc
