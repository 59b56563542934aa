#include "ticket_key_set.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "server_name.h"

namespace aws_lc {
namespace {

constexpr size_t kNameLength = 16;
constexpr size_t kHmacKeyOffset = 16;
constexpr size_t kHmacKeyLength = 16;
constexpr size_t kAesKeyOffset = 32;
constexpr size_t kIvLength = 16;

// What a ticket key callback answers.
constexpr int kFailed = -1;
constexpr int kUnknown = 0;
constexpr int kAccepted = 1;
constexpr int kAcceptedAndDueForRenewal = 2;

int KeysIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

TicketKey RandomKey() {
  TicketKey key;
  RAND_bytes(key.data(), key.size());
  return key;
}

// A ticket is good for the server name that it was made under and for no other (RFC 6066, section 3): each name has a
// key of its own for the MAC.
bool Authenticate(const SSL* ssl, const TicketKey& key, HMAC_CTX* hmac) {
  const uint8_t* mac_key = key.data() + kHmacKeyOffset;
  const std::string server_name = FoldedServerName(ssl);
  if (server_name.empty()) return HMAC_Init_ex(hmac, mac_key, kHmacKeyLength, EVP_sha256(), nullptr);
  uint8_t derived[SHA256_DIGEST_LENGTH];
  const bool done = HMAC(EVP_sha256(), mac_key, kHmacKeyLength, reinterpret_cast<const uint8_t*>(server_name.data()),
                         server_name.size(), derived, nullptr) != nullptr &&
                    HMAC_Init_ex(hmac, derived, sizeof(derived), EVP_sha256(), nullptr);
  OPENSSL_cleanse(derived, sizeof(derived));
  return done;
}

void Cleanse(std::vector<TicketKey>* keys) {
  for (TicketKey& key : *keys) OPENSSL_cleanse(key.data(), key.size());
}

}  // namespace

TicketKeySet::~TicketKeySet() { Cleanse(&keys_); }

void TicketKeySet::Set(std::vector<TicketKey> keys, size_t current) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Replace(std::move(keys));
  current_ = current;
  interval_ = std::chrono::seconds(0);
}

void TicketKeySet::Generate(std::chrono::seconds interval, size_t kept) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Replace({RandomKey()});
  current_ = 0;
  interval_ = interval;
  kept_ = kept;
  rotated_ = std::chrono::steady_clock::now();
}

std::vector<TicketKey> TicketKeySet::Keys(size_t* out_current) {
  const std::lock_guard<std::mutex> lock(mutex_);
  RotateIfDue();
  *out_current = current_;
  return keys_;
}

void TicketKeySet::Install(SSL_CTX* ctx) { SSL_CTX_set_tlsext_ticket_key_cb(ctx, OnTicket); }

void TicketKeySet::Attach(SSL* ssl, TicketKeySet* keys) { SSL_set_ex_data(ssl, KeysIndex(), keys); }

int TicketKeySet::OnTicket(SSL* ssl, uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac, int seals) {
  auto* keys = static_cast<TicketKeySet*>(SSL_get_ex_data(ssl, KeysIndex()));
  if (keys == nullptr) return kFailed;
  return seals ? keys->Seal(ssl, name, iv, cipher, hmac) : keys->Open(ssl, name, iv, cipher, hmac);
}

int TicketKeySet::Seal(const SSL* ssl, uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac) {
  const std::lock_guard<std::mutex> lock(mutex_);
  RotateIfDue();
  const TicketKey& key = keys_[current_];
  std::memcpy(name, key.data(), kNameLength);
  if (!RAND_bytes(iv, kIvLength) ||
      !EVP_EncryptInit_ex(cipher, EVP_aes_128_cbc(), nullptr, key.data() + kAesKeyOffset, iv) ||
      !Authenticate(ssl, key, hmac)) {
    return kFailed;
  }
  return kAccepted;
}

int TicketKeySet::Open(const SSL* ssl, const uint8_t* name, const uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac) {
  const std::lock_guard<std::mutex> lock(mutex_);
  RotateIfDue();
  const auto found = std::find_if(keys_.begin(), keys_.end(), [name](const TicketKey& key) {
    return std::memcmp(key.data(), name, kNameLength) == 0;
  });
  if (found == keys_.end()) return kUnknown;
  if (!EVP_DecryptInit_ex(cipher, EVP_aes_128_cbc(), nullptr, found->data() + kAesKeyOffset, iv) ||
      !Authenticate(ssl, *found, hmac)) {
    return kFailed;
  }
  const auto index = static_cast<size_t>(found - keys_.begin());
  return index > current_ ? kAcceptedAndDueForRenewal : kAccepted;
}

void TicketKeySet::Replace(std::vector<TicketKey> keys) {
  Cleanse(&keys_);
  keys_ = std::move(keys);
}

// Done when a key is asked for, so that no timer keeps an idle set.
void TicketKeySet::RotateIfDue() {
  if (interval_.count() == 0) return;
  const auto elapsed = (std::chrono::steady_clock::now() - rotated_) / interval_;
  rotated_ += elapsed * interval_;
  // After a long silence none of the keys is left.
  for (int64_t i = std::min<int64_t>(elapsed, static_cast<int64_t>(kept_) + 1); i > 0; i--) {
    keys_.insert(keys_.begin(), RandomKey());
    if (keys_.size() > kept_ + 1) {
      OPENSSL_cleanse(keys_.back().data(), keys_.back().size());
      keys_.pop_back();
    }
  }
}

}  // namespace aws_lc
