// Chain verification (RFC 5280) of what the peer presented.
#pragma once

#include "aws_lc.h"

namespace aws_lc {

// Verifies against the roots of the connection's SSL_CTX; answers X509_V_OK or the error that OpenSSL would report.
// `out_chain`, if given, receives the chain up to the root.
long VerifyPeerChain(SSL* ssl, bool peer_is_client, bssl::UniquePtr<STACK_OF(X509)>* out_chain);

}  // namespace aws_lc
