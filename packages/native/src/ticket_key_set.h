// The keys that session tickets are sealed with (RFC 5077, section 4), shared by any number of contexts and exchanged
// under them at any time. Handshakes may run on any thread.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "aws_lc.h"

namespace aws_lc {

// node:tls's form: a name of 16 bytes, 16 for HMAC-SHA256 and 16 for AES-128-CBC.
inline constexpr size_t kTicketKeyLength = 48;
using TicketKey = std::array<uint8_t, kTicketKeyLength>;

class TicketKeySet {
 public:
  ~TicketKeySet();

  // `current` is the index of the key that seals. Those before it are not in use yet, though other processes may seal
  // with them already; those behind it were in use before: what they have sealed is accepted and sealed anew.
  void Set(std::vector<TicketKey> keys, size_t current);
  // Random keys from now on: a new one every `interval`, of which the last `kept` before it are accepted.
  void Generate(std::chrono::seconds interval, size_t kept);
  std::vector<TicketKey> Keys(size_t* out_current);

  // Has the connections of a context seal their tickets with the set that each was given by Attach().
  static void Install(SSL_CTX* ctx);
  // To the connection and not to its context, because a server name may lead it to another one. The set must outlive it.
  static void Attach(SSL* ssl, TicketKeySet* keys);

 private:
  static int OnTicket(SSL* ssl, uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac, int seals);
  int Seal(const SSL* ssl, uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac);
  int Open(const SSL* ssl, const uint8_t* name, const uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac);
  void Replace(std::vector<TicketKey> keys);
  void RotateIfDue();

  std::mutex mutex_;
  std::vector<TicketKey> keys_;
  size_t current_ = 0;
  // Zero: the keys change by Set() alone.
  std::chrono::seconds interval_{0};
  size_t kept_ = 0;
  std::chrono::steady_clock::time_point rotated_;
};

}  // namespace aws_lc
