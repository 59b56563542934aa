// Takes keys away from libssl that it no longer needs.
#pragma once

#include "aws_lc.h"
#include "kernel_tls.h"

namespace aws_lc {

// Wipes what libssl knows of one direction's keys, once the kernel has them: the traffic secret (TLS 1.3) and the cipher
// with its key and nonce. What libssl goes on to say in that direction, which nobody sends, is sealed under a random key.
//
// What stays is not a direction's own: the exporter's secret, and the session's, from which TLS 1.2 derives all keys.
void ForgetKeys(SSL* ssl, KtlsDirection direction);

}  // namespace aws_lc
