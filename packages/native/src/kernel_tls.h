// What the kernel's record layer is told about a connection: Documentation/networking/tls.rst and <linux/tls.h>.
// Key material lives in these objects only as long as they do; they wipe themselves.
#pragma once

#include <linux/tls.h>

#include <cstdint>
#include <span>

#include "aws_lc.h"

namespace aws_lc {

enum class KtlsDirection : uint8_t { kTx, kRx };

// A TLS 1.3 traffic secret, the only one of its generation (RFC 8446, section 7.2); wipes itself.
class TrafficSecret {
 public:
  TrafficSecret() = default;
  ~TrafficSecret() { OPENSSL_cleanse(bytes_, sizeof(bytes_)); }
  TrafficSecret(const TrafficSecret&) = delete;
  TrafficSecret& operator=(const TrafficSecret&) = delete;

  // The current secret of an established TLS 1.3 connection.
  bool Assign(const SSL* ssl, KtlsDirection direction);
  // Replaces the secret by that of the next generation.
  bool Advance(const SSL_CIPHER* cipher);
  std::span<const uint8_t> bytes() const { return {bytes_, length_}; }

 private:
  uint8_t bytes_[EVP_MAX_MD_SIZE] = {};
  size_t length_ = 0;
};

// The keys of one direction, ready for setsockopt(2).
class KernelCryptoInfo {
 public:
  KernelCryptoInfo() = default;
  ~KernelCryptoInfo() { OPENSSL_cleanse(&info_, sizeof(info_)); }
  KernelCryptoInfo(const KernelCryptoInfo&) = delete;
  KernelCryptoInfo& operator=(const KernelCryptoInfo&) = delete;

  // Whether the kernel knows the suite at all: an AEAD of AES-GCM or ChaCha20-Poly1305, TLS 1.2 or 1.3.
  static bool IsEligible(uint16_t version, const SSL_CIPHER* cipher);

  // Fills in the keys of one direction of an established connection. The record layer must be at a record boundary.
  bool Assign(const SSL* ssl, KtlsDirection direction);

  // From a TLS 1.3 traffic secret (RFC 8446, section 7.3).
  bool AssignTls13(const SSL_CIPHER* cipher, std::span<const uint8_t> secret, uint64_t sequence);
  // From a TLS 1.2 key block (RFC 5246, section 6.3).
  bool AssignTls12(const SSL_CIPHER* cipher, std::span<const uint8_t> key_block, bool client_write,
                   uint64_t sequence);

  const void* data() const { return &info_; }
  size_t size() const { return size_; }

 private:
  bool Fill(uint16_t version, const SSL_CIPHER* cipher, std::span<const uint8_t> key, std::span<const uint8_t> iv,
            uint64_t sequence);

  union {
    tls12_crypto_info_aes_gcm_128 aes_gcm_128;
    tls12_crypto_info_aes_gcm_256 aes_gcm_256;
    tls12_crypto_info_chacha20_poly1305 chacha20_poly1305;
  } info_ = {};
  size_t size_ = 0;
};

}  // namespace aws_lc
