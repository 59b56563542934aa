// The one file that looks into libssl: no function of its public interface lets go of keys short of SSL_free().
#include "library_keys.h"

#include <openssl/aead.h>
#include <openssl/rand.h>

#include <utility>

#include "ssl/internal.h"

namespace aws_lc {
namespace {

// Never the null cipher: libssl has assertions against it, and it would make plaintext of whatever is sealed with it.
bssl::UniquePtr<bssl::SSLAEADContext> RandomCipher(const SSL* ssl, evp_aead_direction_t direction) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const EVP_AEAD* aead = nullptr;
  size_t mac_length = 0;
  size_t nonce_length = 0;
  if (!bssl::ssl_cipher_get_evp_aead(&aead, &mac_length, &nonce_length, cipher, bssl::ssl_protocol_version(ssl),
                                     /*is_dtls=*/false) ||
      mac_length != 0) {
    return nullptr;
  }
  uint8_t random[EVP_AEAD_MAX_KEY_LENGTH + EVP_AEAD_MAX_NONCE_LENGTH];
  RAND_bytes(random, sizeof(random));
  auto made = bssl::SSLAEADContext::Create(direction, ssl->version, /*is_dtls=*/false, cipher,
                                           bssl::Span<const uint8_t>(random, EVP_AEAD_key_length(aead)), {},
                                           bssl::Span<const uint8_t>(random + EVP_AEAD_MAX_KEY_LENGTH, nonce_length));
  OPENSSL_cleanse(random, sizeof(random));
  return made;
}

}  // namespace

void ForgetKeys(SSL* ssl, KtlsDirection direction) {
  const bool sending = direction == KtlsDirection::kTx;
  bssl::SSL3_STATE* state = ssl->s3;
  if (auto cipher = RandomCipher(ssl, sending ? evp_aead_seal : evp_aead_open)) {
    // Frees the one before, and AWS-LC wipes what it frees.
    (sending ? state->aead_write_ctx : state->aead_read_ctx) = std::move(cipher);
  }
  // The length stays: a KeyUpdate that libssl reads makes it derive its next secret, of whatever is there.
  OPENSSL_cleanse(sending ? state->write_traffic_secret : state->read_traffic_secret, SSL_MAX_MD_SIZE);
  ERR_clear_error();
}

}  // namespace aws_lc
