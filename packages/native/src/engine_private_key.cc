// The part of the engine that has its signatures made elsewhere: by whoever has the key, or on another thread.
#include <cstring>
#include <utility>

#include "engine.h"

namespace aws_lc {

const SSL_PRIVATE_KEY_METHOD* Engine::RemoteKeyMethod() {
  static const SSL_PRIVATE_KEY_METHOD method = {OnSign<QuestionKind::kSignature>, OnRemoteDecrypt, OnSigned};
  return &method;
}

const SSL_PRIVATE_KEY_METHOD* Engine::CostlyKeyMethod() {
  static const SSL_PRIVATE_KEY_METHOD method = {OnSign<QuestionKind::kOwnSignature>, OnDecrypt, OnSigned};
  return &method;
}

template <QuestionKind kKind>
enum ssl_private_key_result_t Engine::OnSign(SSL* ssl, uint8_t* /*out*/, size_t* /*out_length*/, size_t /*max_out*/,
                                             uint16_t algorithm, const uint8_t* in, size_t in_length) {
  From(ssl)->question_ = {kKind, algorithm, {}, {in, in + in_length}};
  return ssl_private_key_retry;
}

// RSA key exchange, whose suites are not configured together with such a key.
enum ssl_private_key_result_t Engine::OnRemoteDecrypt(SSL* /*ssl*/, uint8_t* /*out*/, size_t* /*out_length*/,
                                                      size_t /*max_out*/, const uint8_t* /*in*/, size_t /*in_length*/) {
  return ssl_private_key_failure;
}

// RSA key exchange, too rare to be handed to another thread. libssl takes the padding off, in constant time.
enum ssl_private_key_result_t Engine::OnDecrypt(SSL* ssl, uint8_t* out, size_t* out_length, size_t max_out,
                                                const uint8_t* in, size_t in_length) {
  RSA* rsa = EVP_PKEY_get0_RSA(From(ssl)->identity()->key.get());
  return RSA_decrypt(rsa, out_length, out, max_out, in, in_length, RSA_NO_PADDING) ? ssl_private_key_success
                                                                                 : ssl_private_key_failure;
}

enum ssl_private_key_result_t Engine::OnSigned(SSL* ssl, uint8_t* out, size_t* out_length, size_t max_out) {
  Engine* engine = From(ssl);
  if (!engine->answer_.has_value()) return ssl_private_key_retry;
  const Answer answer = *std::exchange(engine->answer_, std::nullopt);
  if (answer.bytes.empty() || answer.bytes.size() > max_out) return ssl_private_key_failure;
  std::memcpy(out, answer.bytes.data(), answer.bytes.size());
  *out_length = answer.bytes.size();
  return ssl_private_key_success;
}

}  // namespace aws_lc
