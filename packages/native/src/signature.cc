#include "signature.h"

namespace aws_lc {

bool IsCostlyToSign(const EVP_PKEY* key) { return EVP_PKEY_id(key) == EVP_PKEY_RSA; }

std::vector<uint8_t> Sign(EVP_PKEY* key, uint16_t algorithm, std::span<const uint8_t> data) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* key_context = nullptr;
  if (!EVP_DigestSignInit(context.get(), &key_context, SSL_get_signature_algorithm_digest(algorithm), nullptr, key)) return {};
  // The salt is as long as the hash.
  if (SSL_is_signature_algorithm_rsa_pss(algorithm) &&
      (!EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) ||
       !EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, -1))) {
    return {};
  }
  size_t length = 0;
  if (!EVP_DigestSign(context.get(), nullptr, &length, data.data(), data.size())) return {};
  std::vector<uint8_t> signature(length);
  if (!EVP_DigestSign(context.get(), signature.data(), &length, data.data(), data.size())) return {};
  signature.resize(length);
  return signature;
}

}  // namespace aws_lc
