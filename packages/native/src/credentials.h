// Certificates and private keys from bytes. Every function fails with an entry on the thread's error queue.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws_lc.h"
#include "js_values.h"

namespace aws_lc {

// One DER certificate; trailing bytes are refused.
bssl::UniquePtr<X509> ParseCertificate(ByteView der);

// A private key: PEM (PKCS#8, PKCS#1, SEC1, each possibly encrypted) or DER (the same, PKCS#8 possibly encrypted).
bssl::UniquePtr<EVP_PKEY> ParsePrivateKey(ByteView data, bool pem, const std::optional<std::string>& passphrase);

}  // namespace aws_lc
