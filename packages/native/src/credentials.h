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

// Whether the certificate names itself as its issuer.
bool IsSelfIssued(const X509* certificate);

bssl::UniquePtr<CRYPTO_BUFFER> ToCryptoBuffer(X509* certificate);

// The contents of a PKCS #12 file (RFC 7292).
struct Pkcs12 {
  bssl::UniquePtr<EVP_PKEY> key;
  std::vector<bssl::UniquePtr<X509>> chain;  // leaf first, as far as the file has it
  std::vector<bssl::UniquePtr<X509>> others;
};
std::optional<Pkcs12> ParsePkcs12(ByteView data, const std::optional<std::string>& passphrase);

// One revocation list (RFC 5280, section 5), DER.
bssl::UniquePtr<X509_CRL> ParseCrl(ByteView der);

}  // namespace aws_lc
