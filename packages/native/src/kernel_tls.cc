#include "kernel_tls.h"

#include <openssl/kdf.h>

#include <algorithm>
#include <cstring>

namespace aws_lc {
namespace {

constexpr size_t kNonceLength = 12;
constexpr size_t kMaxKeyLength = 32;
// TLS 1.2 AES-GCM (RFC 5288): four bytes of the nonce are secret, the other eight travel with the record.
constexpr size_t kGcmSaltLength = 4;

struct Sizes {
  size_t key;
  size_t tls12_iv;
};

// False for a cipher that the kernel does not know.
bool FindSizes(const SSL_CIPHER* cipher, Sizes* sizes) {
  switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
      *sizes = {TLS_CIPHER_AES_GCM_128_KEY_SIZE, kGcmSaltLength};
      return true;
    case NID_aes_256_gcm:
      *sizes = {TLS_CIPHER_AES_GCM_256_KEY_SIZE, kGcmSaltLength};
      return true;
    case NID_chacha20_poly1305:
      *sizes = {TLS_CIPHER_CHACHA20_POLY1305_KEY_SIZE, kNonceLength};
      return true;
    default:
      return false;
  }
}

void PutSequence(uint8_t out[8], uint64_t sequence) {
  for (int i = 7; i >= 0; i--, sequence >>= 8) out[i] = static_cast<uint8_t>(sequence);
}

bool ExpandLabel(std::span<uint8_t> out, const EVP_MD* digest, std::span<const uint8_t> secret, const char* label) {
  return CRYPTO_tls13_hkdf_expand_label(out.data(), out.size(), digest, secret.data(), secret.size(),
                                        reinterpret_cast<const uint8_t*>(label), std::strlen(label), nullptr, 0) == 1;
}

template <typename Info>
void FillGcm(Info* info, std::span<const uint8_t> key, std::span<const uint8_t> iv, uint64_t sequence) {
  std::memcpy(info->key, key.data(), key.size());
  std::memcpy(info->salt, iv.data(), sizeof(info->salt));
  PutSequence(info->rec_seq, sequence);
  if (iv.size() == kNonceLength) {
    std::memcpy(info->iv, iv.data() + sizeof(info->salt), sizeof(info->iv));
  } else {
    // The explicit nonce must never repeat under a key; AWS-LC uses the sequence number, and the kernel counts on.
    PutSequence(info->iv, sequence);
  }
}

}  // namespace

bool TrafficSecret::Assign(const SSL* ssl, KtlsDirection direction) {
  length_ = sizeof(bytes_);
  const bool assigned = (direction == KtlsDirection::kTx ? SSL_get_write_traffic_secret(ssl, bytes_, &length_)
                                                         : SSL_get_read_traffic_secret(ssl, bytes_, &length_)) == 1;
  if (!assigned) length_ = 0;
  return assigned;
}

bool TrafficSecret::Advance(const SSL_CIPHER* cipher) {
  const EVP_MD* digest = EVP_get_digestbynid(SSL_CIPHER_get_prf_nid(cipher));
  uint8_t next[EVP_MAX_MD_SIZE];
  const bool derived = digest != nullptr && length_ > 0 && ExpandLabel({next, length_}, digest, bytes(), "traffic upd");
  if (derived) std::memcpy(bytes_, next, length_);
  OPENSSL_cleanse(next, sizeof(next));
  return derived;
}

bool KernelCryptoInfo::IsEligible(uint16_t version, const SSL_CIPHER* cipher) {
  Sizes sizes;
  return (version == TLS1_2_VERSION || version == TLS1_3_VERSION) && cipher != nullptr && FindSizes(cipher, &sizes);
}

bool KernelCryptoInfo::Assign(const SSL* ssl, KtlsDirection direction) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const auto version = static_cast<uint16_t>(SSL_version(ssl));
  if (!IsEligible(version, cipher)) return false;
  const bool sending = direction == KtlsDirection::kTx;
  const uint64_t sequence = sending ? SSL_get_write_sequence(ssl) : SSL_get_read_sequence(ssl);
  bool assigned = false;
  if (version == TLS1_3_VERSION) {
    TrafficSecret secret;
    assigned = secret.Assign(ssl, direction) && AssignTls13(cipher, secret.bytes(), sequence);
  } else {
    uint8_t block[2 * (kMaxKeyLength + kNonceLength)];
    const size_t length = SSL_get_key_block_len(ssl);
    assigned = length <= sizeof(block) && SSL_generate_key_block(ssl, block, length) == 1 &&
               AssignTls12(cipher, {block, length}, sending != static_cast<bool>(SSL_is_server(ssl)), sequence);
    OPENSSL_cleanse(block, sizeof(block));
  }
  ERR_clear_error();
  return assigned;
}

bool KernelCryptoInfo::AssignTls13(const SSL_CIPHER* cipher, std::span<const uint8_t> secret, uint64_t sequence) {
  Sizes sizes;
  if (!FindSizes(cipher, &sizes)) return false;
  const EVP_MD* digest = EVP_get_digestbynid(SSL_CIPHER_get_prf_nid(cipher));
  uint8_t key[kMaxKeyLength];
  uint8_t iv[kNonceLength];
  const bool derived = digest != nullptr && ExpandLabel({key, sizes.key}, digest, secret, "key") &&
                       ExpandLabel(iv, digest, secret, "iv");
  const bool filled = derived && Fill(TLS_1_3_VERSION, cipher, {key, sizes.key}, iv, sequence);
  OPENSSL_cleanse(key, sizeof(key));
  OPENSSL_cleanse(iv, sizeof(iv));
  return filled;
}

bool KernelCryptoInfo::AssignTls12(const SSL_CIPHER* cipher, std::span<const uint8_t> key_block, bool client_write,
                                   uint64_t sequence) {
  Sizes sizes;
  if (!FindSizes(cipher, &sizes) || key_block.size() != 2 * (sizes.key + sizes.tls12_iv)) return false;
  const auto keys = key_block.first(2 * sizes.key);
  const auto ivs = key_block.subspan(2 * sizes.key);
  return Fill(TLS_1_2_VERSION, cipher, keys.subspan(client_write ? 0 : sizes.key, sizes.key),
              ivs.subspan(client_write ? 0 : sizes.tls12_iv, sizes.tls12_iv), sequence);
}

bool KernelCryptoInfo::Fill(uint16_t version, const SSL_CIPHER* cipher, std::span<const uint8_t> key,
                            std::span<const uint8_t> iv, uint64_t sequence) {
  switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
      info_.aes_gcm_128.info = {version, TLS_CIPHER_AES_GCM_128};
      FillGcm(&info_.aes_gcm_128, key, iv, sequence);
      size_ = sizeof(info_.aes_gcm_128);
      return true;
    case NID_aes_256_gcm:
      info_.aes_gcm_256.info = {version, TLS_CIPHER_AES_GCM_256};
      FillGcm(&info_.aes_gcm_256, key, iv, sequence);
      size_ = sizeof(info_.aes_gcm_256);
      return true;
    case NID_chacha20_poly1305:
      info_.chacha20_poly1305.info = {version, TLS_CIPHER_CHACHA20_POLY1305};
      std::memcpy(info_.chacha20_poly1305.key, key.data(), key.size());
      std::memcpy(info_.chacha20_poly1305.iv, iv.data(), iv.size());
      PutSequence(info_.chacha20_poly1305.rec_seq, sequence);
      size_ = sizeof(info_.chacha20_poly1305);
      return true;
    default:
      return false;
  }
}

}  // namespace aws_lc
