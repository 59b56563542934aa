// Signatures with a private key of this process, made outside of libssl.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "aws_lc.h"

namespace aws_lc {

// Whether a signature takes so long (RSA's: a millisecond) that nobody else should have to wait for it.
bool IsCostlyToSign(const EVP_PKEY* key);

// Signs as RFC 8446, section 4.2.3, or RFC 5246, section 4.7, has it for that algorithm; empty where it cannot be done.
std::vector<uint8_t> Sign(EVP_PKEY* key, uint16_t algorithm, std::span<const uint8_t> data);

}  // namespace aws_lc
