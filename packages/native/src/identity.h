// What one end proves itself with, and which of several a client can make use of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "aws_lc.h"

namespace aws_lc {

// A private key with its chain.
struct Identity {
  bssl::UniquePtr<EVP_PKEY> key;
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain;  // leaf first
  // Who issued the leaf, if known: the second of the chain, or a root.
  bssl::UniquePtr<X509> issuer;
};

// The first of `sigalgs`, in our order, that the client accepts and one of `identities` can sign with. Of two identities
// of the same kind the first that will do. Null where none will, or the ClientHello is malformed: libssl says why.
const Identity* SelectIdentity(const std::vector<Identity>& identities, std::span<const uint16_t> sigalgs,
                               const SSL_CLIENT_HELLO* hello);

// Makes `identity` the only one of the connection.
bool UseIdentity(SSL* ssl, const Identity& identity);

}  // namespace aws_lc
