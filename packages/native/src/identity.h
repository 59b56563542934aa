// What one end proves itself with, and which of several a client can make use of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "aws_lc.h"

namespace aws_lc {

// A private key with its chain.
struct Identity {
  bssl::UniquePtr<EVP_PKEY> key;                     // null where somebody else has it
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain;  // leaf first
  // Who issued the leaf, if known: the second of the chain, or a root.
  bssl::UniquePtr<X509> issuer;
};

// What a client is shown, and the algorithm that it is signed with.
struct Selection {
  const Identity* identity = nullptr;
  uint16_t sigalg = 0;
};

// What is signed with, in order of preference: what was chosen, or what libssl does by itself.
std::span<const uint16_t> SigningAlgorithms(std::span<const uint16_t> chosen);

// The first of `sigalgs`, in our order, that the client accepts and one of `identities` can sign with. Of two identities
// of the same kind the first that will do. Before TLS 1.3 libssl chooses the cipher suite first, and so does this. Empty
// where nothing will do, or the ClientHello is malformed: libssl says why.
Selection SelectIdentity(const std::vector<Identity>& identities, std::span<const uint16_t> sigalgs,
                         const SSL_CLIENT_HELLO* hello);

// Has libssl, which holds one identity of each kind of key, use this one.
bool UseIdentity(SSL* ssl, const Selection& selection);
// Has all connections to come use this one.
bool UseIdentity(SSL_CTX* ctx, const Identity& identity);

}  // namespace aws_lc
