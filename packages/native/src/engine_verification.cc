// The part of the engine that judges the peer by its certificates. What takes long is left to the owner of the connection,
// who has other threads.
#include <utility>

#include "engine.h"

namespace aws_lc {

void Engine::InstallVerification(SSL_CTX* ctx, int mode) {
  SSL_CTX_set_custom_verify(ctx, mode, OnVerify);
  // A certificate that was good when the session began may have expired or been revoked since.
  SSL_CTX_set_reverify_on_resume(ctx, 1);
}

enum ssl_verify_result_t Engine::OnVerify(SSL* ssl, uint8_t* out_alert) { return From(ssl)->VerifyPeer(out_alert); }

enum ssl_verify_result_t Engine::VerifyPeer(uint8_t* out_alert) {
  if (!JudgeChain()) return ssl_verify_retry;
  if (RefusesChain()) {
    *out_alert = static_cast<uint8_t>(SSL_alert_from_verify_result(verify_result_));
    return ssl_verify_invalid;
  }
  if (!config_.checks_identity) return ssl_verify_ok;
  const auto detail = static_cast<uint32_t>(verify_result_);
  return Ask({QuestionKind::kPeerIdentity, detail, {}, {}}).has_value() ? ssl_verify_ok : ssl_verify_retry;
}

bool Engine::JudgeResumedPeer() {
  if (!config_.is_server || !verifies_peer() || chain_verified_) return true;
  const STACK_OF(CRYPTO_BUFFER)* certificates = SSL_get0_peer_certificates(ssl_.get());
  if (certificates == nullptr || sk_CRYPTO_BUFFER_num(certificates) == 0) return true;
  if (!JudgeChain()) return false;
  if (!RefusesChain()) return true;
  SSL_send_fatal_alert(ssl_.get(), static_cast<uint8_t>(SSL_alert_from_verify_result(verify_result_)));
  FailFromLibrary();
  return false;
}

bool Engine::JudgeChain() {
  if (chain_verified_) return true;
  const PeerChain peer = peer_chain();
  if (IsCostlyToVerify(peer)) {
    const std::optional<Answer> answer = Ask({QuestionKind::kChain, 0, {}, {}});
    if (!answer.has_value()) return false;
    verify_result_ = answer->verdict.value_or(X509_V_ERR_UNSPECIFIED);
  } else {
    verify_result_ = VerifyChain(peer, nullptr);
  }
  chain_verified_ = true;
  return true;
}

bool Engine::RefusesChain() const {
  return verify_result_ != X509_V_OK && config_.peer_verification != PeerVerification::kRecord;
}

PeerChain Engine::peer_chain() const { return PeerChainOf(ssl_.get(), config_.is_server); }

bssl::UniquePtr<STACK_OF(X509)> Engine::VerifiedChain() const {
  if (!verifies_peer()) return nullptr;
  bssl::UniquePtr<STACK_OF(X509)> chain;
  return VerifyChain(peer_chain(), &chain) == X509_V_OK ? std::move(chain) : nullptr;
}

}  // namespace aws_lc
