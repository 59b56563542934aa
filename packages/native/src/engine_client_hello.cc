// The part of a server's engine that looks at the ClientHello before libssl does: which configuration, identity, protocol
// and OCSP response this client gets.
#include <utility>

#include "engine.h"

namespace aws_lc {
namespace {

bool FindExtension(const SSL_CLIENT_HELLO* hello, uint16_t type, CBS* out) {
  const uint8_t* data = nullptr;
  size_t length = 0;
  if (!SSL_early_callback_ctx_extension_get(hello, type, &data, &length)) return false;
  CBS_init(out, data, length);
  return true;
}

// RFC 7301, section 3.1. libssl refuses a malformed list later.
std::vector<uint8_t> OfferedProtocols(const SSL_CLIENT_HELLO* hello) {
  CBS extension, list;
  if (!FindExtension(hello, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension)) return {};
  if (!CBS_get_u16_length_prefixed(&extension, &list)) return {};
  return {CBS_data(&list), CBS_data(&list) + CBS_len(&list)};
}

}  // namespace

enum ssl_select_cert_result_t Engine::OnClientHello(const SSL_CLIENT_HELLO* hello) {
  return From(hello->ssl)->HandleClientHello(hello);
}

// Called again from its beginning after every question.
enum ssl_select_cert_result_t Engine::HandleClientHello(const SSL_CLIENT_HELLO* hello) {
  if (!client_known_ && !AskAboutClient(hello)) return ssl_select_cert_retry;
  client_known_ = true;
  if (identity_ == nullptr && config_.identities != nullptr && config_.identities->size() > 1) {
    const Selection selection = SelectIdentity(*config_.identities, config_.sigalgs, hello);
    identity_ = selection.identity;
    if (identity_ != nullptr && !UseIdentity(ssl_.get(), selection)) return ssl_select_cert_error;
  }
  return AskForOcspResponse(hello) ? ssl_select_cert_success : ssl_select_cert_retry;
}

bool Engine::AskAboutClient(const SSL_CLIENT_HELLO* hello) {
  Question question{QuestionKind::kClientHello, 0, {}, {}};
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  if (config_.asks_alpn) question.data = OfferedProtocols(hello);
  if ((config_.asks_server_name || !question.data.empty()) && name != nullptr) question.name = name;
  if (question.name.empty() && question.data.empty()) return true;
  std::optional<Answer> answer = Ask(std::move(question));
  if (!answer.has_value()) return false;
  chosen_protocol_ = std::move(answer->bytes);
  return true;
}

bool Engine::AskForOcspResponse(const SSL_CLIENT_HELLO* hello) {
  CBS request;
  if (!config_.asks_ocsp_response || !FindExtension(hello, TLSEXT_TYPE_status_request, &request)) return true;
  const std::optional<Answer> answer = Ask({QuestionKind::kOcspResponse, 0, {}, {}});
  if (!answer.has_value()) return false;
  if (!answer->bytes.empty()) SSL_set_ocsp_response(ssl_.get(), answer->bytes.data(), answer->bytes.size());
  return true;
}

const Identity* Engine::identity() const {
  if (identity_ != nullptr) return identity_;
  return config_.identities == nullptr || config_.identities->empty() ? nullptr : &config_.identities->back();
}

bool Engine::UseConfig(const EngineConfig& config) {
  if (state_ != State::kWaiting || question_.kind != QuestionKind::kClientHello) return false;
  SSL* ssl = ssl_.get();
  if (SSL_set_SSL_CTX(ssl, config.ctx) != config.ctx) return false;
  SSL_set_min_proto_version(ssl, SSL_CTX_get_min_proto_version(config.ctx));
  SSL_set_max_proto_version(ssl, SSL_CTX_get_max_proto_version(config.ctx));
  // libssl leaves a connection the suites that it began with.
  const auto differs = [](std::string_view chosen, std::string_view own) { return !chosen.empty() && chosen != own; };
  if (differs(config.cipher_list, config_.cipher_list)) SSL_set_cipher_list(ssl, config.cipher_list.data());
  if (differs(config.cipher_suites, config_.cipher_suites)) SSL_set_ciphersuites(ssl, config.cipher_suites.data());
  SSL_set_custom_verify(ssl, SSL_CTX_get_verify_mode(config.ctx), OnVerify);
  if (keeps_key_log_) SSL_CTX_set_keylog_callback(config.ctx, OnKeyLog);
  EngineConfig chosen = config;
  chosen.ticket_keys = std::move(config_.ticket_keys);
  chosen.asks_ocsp_response |= config_.asks_ocsp_response;
  // libssl goes on asking the context that the connection began with.
  chosen.stores_sessions = config_.stores_sessions;
  config_ = std::move(chosen);
  return true;
}

// The server's preference decides; no overlap is fatal (RFC 7301, section 3.2).
int Engine::OnSelectAlpn(SSL* ssl, const uint8_t** out, uint8_t* out_length, const uint8_t* offered,
                         unsigned offered_length, void* /*arg*/) {
  const Engine* engine = From(ssl);
  if (!engine->chosen_protocol_.empty()) {
    *out = engine->chosen_protocol_.data();
    *out_length = static_cast<uint8_t>(engine->chosen_protocol_.size());
    return SSL_TLSEXT_ERR_OK;
  }
  if (engine->alpn_.empty()) return SSL_TLSEXT_ERR_NOACK;
  uint8_t* selected = nullptr;
  const int result = SSL_select_next_proto(&selected, out_length, engine->alpn_.data(),
                                           static_cast<unsigned>(engine->alpn_.size()), offered, offered_length);
  *out = selected;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace aws_lc
