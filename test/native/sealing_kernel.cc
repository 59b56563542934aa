#include "sealing_kernel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace aws_lc {
namespace {

constexpr size_t kHeader = 5;
constexpr size_t kExplicitNonce = 8;
constexpr size_t kTag = 16;

uint64_t GetUint64(const uint8_t* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
  return value;
}

void PutUint64(std::vector<uint8_t>* out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out->push_back(static_cast<uint8_t>(value >> shift));
}

}  // namespace

int SealingKernel::AttachTls() {
  calls += "attach";
  return attach_answer;
}

int SealingKernel::InstallTls(KtlsDirection direction, const KernelCryptoInfo& info) {
  const bool sending = direction == KtlsDirection::kTx;
  calls += sending ? ", tx" : ", rx";
  if (const int refusal = sending ? tx_answer : rx_answer; refusal != 0) return refusal;
  if ((sending ? tx_ : rx_).has_value() && !can_rekey) return -EBUSY;
  tls_crypto_info head;
  std::memcpy(&head, info.data(), sizeof(head));
  Direction made;
  made.version = head.version;
  const auto use = [&made](const EVP_AEAD* aead, const auto& keys) {
    made.sequence = GetUint64(keys.rec_seq);
    made.aead.reset(EVP_AEAD_CTX_new(aead, keys.key, sizeof(keys.key), kTag));
  };
  const auto use_gcm = [&](const EVP_AEAD* aead, const auto& keys) {
    use(aead, keys);
    made.nonce.assign(keys.salt, keys.salt + sizeof(keys.salt));
    made.explicit_nonce = made.version == TLS1_2_VERSION;
    if (made.explicit_nonce) {
      made.explicit_next = GetUint64(keys.iv);
    } else {
      made.nonce.insert(made.nonce.end(), keys.iv, keys.iv + sizeof(keys.iv));
    }
  };
  if (head.cipher_type == TLS_CIPHER_AES_GCM_128 && info.size() == sizeof(tls12_crypto_info_aes_gcm_128)) {
    use_gcm(EVP_aead_aes_128_gcm(), *static_cast<const tls12_crypto_info_aes_gcm_128*>(info.data()));
  } else if (head.cipher_type == TLS_CIPHER_AES_GCM_256 && info.size() == sizeof(tls12_crypto_info_aes_gcm_256)) {
    use_gcm(EVP_aead_aes_256_gcm(), *static_cast<const tls12_crypto_info_aes_gcm_256*>(info.data()));
  } else if (head.cipher_type == TLS_CIPHER_CHACHA20_POLY1305 &&
             info.size() == sizeof(tls12_crypto_info_chacha20_poly1305)) {
    const auto& keys = *static_cast<const tls12_crypto_info_chacha20_poly1305*>(info.data());
    use(EVP_aead_chacha20_poly1305(), keys);
    made.nonce.assign(keys.iv, keys.iv + sizeof(keys.iv));
  } else {
    return -EINVAL;
  }
  (sending ? tx_ : rx_).emplace(std::move(made));
  if (!sending) key_expired_ = false;
  return 0;
}

// RFC 8446, section 5.3, and RFC 7905 for ChaCha20-Poly1305; RFC 5288, section 3, for AES-GCM in TLS 1.2.
std::vector<uint8_t> SealingKernel::Direction::Nonce(uint64_t explicit_part) const {
  std::vector<uint8_t> result = nonce;
  if (explicit_nonce) {
    PutUint64(&result, explicit_part);
    return result;
  }
  for (int i = 0; i < 8; i++) result[result.size() - 1 - i] ^= static_cast<uint8_t>(sequence >> (8 * i));
  return result;
}

std::vector<uint8_t> SealingKernel::Direction::AdditionalData(uint8_t type, size_t length,
                                                              const uint8_t header[kHeader]) const {
  if (version == TLS1_3_VERSION) return {header, header + kHeader};
  std::vector<uint8_t> data;
  PutUint64(&data, sequence);
  data.insert(data.end(), {type, 3, 3, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)});
  return data;
}

ptrdiff_t SealingKernel::Send(const uint8_t* data, size_t length) {
  if (!tx_.has_value()) return WireEnd::Send(data, length);
  const size_t taken = std::min<size_t>(length, SSL3_RT_MAX_PLAIN_LENGTH);
  return SendRecord(SSL3_RT_APPLICATION_DATA, data, taken);
}

ptrdiff_t SealingKernel::SendRecord(uint8_t type, const uint8_t* data, size_t length) {
  if (!tx_.has_value()) return -EINVAL;
  Direction& tx = *tx_;
  const bool tls13 = tx.version == TLS1_3_VERSION;
  std::vector<uint8_t> plain(data, data + length);
  if (tls13) plain.push_back(type);
  const size_t payload = (tx.explicit_nonce ? kExplicitNonce : 0) + plain.size() + kTag;
  std::vector<uint8_t> record = {tls13 ? uint8_t{SSL3_RT_APPLICATION_DATA} : type, 3, 3,
                                 static_cast<uint8_t>(payload >> 8), static_cast<uint8_t>(payload)};
  const std::vector<uint8_t> additional = tx.AdditionalData(type, length, record.data());
  const std::vector<uint8_t> nonce = tx.Nonce(tx.explicit_next);
  if (tx.explicit_nonce) PutUint64(&record, tx.explicit_next++);
  tx.sequence++;
  std::vector<uint8_t> sealed(plain.size() + kTag);
  size_t sealed_length = 0;
  if (!EVP_AEAD_CTX_seal(tx.aead.get(), sealed.data(), &sealed_length, sealed.size(), nonce.data(), nonce.size(),
                         plain.data(), plain.size(), additional.data(), additional.size())) {
    return -EINVAL;
  }
  record.insert(record.end(), sealed.begin(), sealed.end());
  peer()->inbound.insert(peer()->inbound.end(), record.begin(), record.end());
  return static_cast<ptrdiff_t>(length);
}

void SealingKernel::Inject(uint8_t type, const std::string& body) {
  SendRecord(type, reinterpret_cast<const uint8_t*>(body.data()), body.size());
}

ptrdiff_t SealingKernel::ReceiveRecord(uint8_t* out, size_t capacity, uint8_t* type) {
  if (rest_.empty()) {
    *type = 0;
    if (key_expired_) return -EKEYEXPIRED;
    if (inbound.empty() && inbound_ended) return 0;
    if (inbound.size() < kHeader) return -EAGAIN;
    const size_t payload = static_cast<size_t>(inbound[3]) << 8 | inbound[4];
    if (inbound.size() < kHeader + payload) return -EAGAIN;
    Direction& rx = *rx_;
    const std::vector<uint8_t> record = TakeInbound(kHeader + payload);
    const size_t prefix = kHeader + (rx.explicit_nonce ? kExplicitNonce : 0);
    if (record.size() < prefix + kTag) return -EBADMSG;
    const size_t length = record.size() - prefix - kTag;
    const std::vector<uint8_t> additional = rx.AdditionalData(record[0], length, record.data());
    const std::vector<uint8_t> nonce = rx.Nonce(rx.explicit_nonce ? GetUint64(record.data() + kHeader) : 0);
    rx.sequence++;
    rest_.resize(length + kTag);
    size_t opened = 0;
    if (!EVP_AEAD_CTX_open(rx.aead.get(), rest_.data(), &opened, rest_.size(), nonce.data(), nonce.size(),
                           record.data() + prefix, record.size() - prefix, additional.data(), additional.size())) {
      ERR_clear_error();
      rest_.clear();
      return -EBADMSG;
    }
    rest_.resize(opened);
    rest_type_ = record[0];
    if (rx.version == TLS1_3_VERSION) {
      while (!rest_.empty() && rest_.back() == 0) rest_.pop_back();
      if (rest_.empty()) return -EBADMSG;
      rest_type_ = rest_.back();
      rest_.pop_back();
    }
  }
  // tls_check_pending_rekey() in net/tls/tls_sw.c.
  if (can_rekey && rx_->version == TLS1_3_VERSION && rest_type_ == SSL3_RT_HANDSHAKE && !rest_.empty() &&
      rest_[0] == SSL3_MT_KEY_UPDATE) {
    key_expired_ = true;
  }
  *type = rest_type_;
  const size_t count = std::min(capacity, rest_.size());
  std::memcpy(out, rest_.data(), count);
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(count));
  return static_cast<ptrdiff_t>(count);
}

}  // namespace aws_lc
