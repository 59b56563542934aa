// Chain verification (RFC 5280) of what the peer presented.
#pragma once

#include "aws_lc.h"

namespace aws_lc {

// All that a verification needs, and nothing that belongs to the connection: it may be made on any thread.
struct PeerChain {
  // Leaf first, as it was sent; null where the peer has shown nothing.
  bssl::UniquePtr<STACK_OF(X509)> certificates;
  bssl::UniquePtr<X509_STORE> roots;
  bool is_client = false;
};

// What the peer has shown, to be verified against the roots of the connection's SSL_CTX.
PeerChain PeerChainOf(const SSL* ssl, bool peer_is_client);

// Answers X509_V_OK or the error that OpenSSL would report. `out_chain`, if given, receives the chain up to the root.
long VerifyChain(const PeerChain& peer, bssl::UniquePtr<STACK_OF(X509)>* out_chain);

// Whether verifying takes so long that the event loop is better spared of it.
bool IsCostlyToVerify(const PeerChain& peer);

}  // namespace aws_lc
