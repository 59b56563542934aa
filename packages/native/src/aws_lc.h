// The only way for the addon's sources to see OpenSSL-shaped headers. Node ships headers of its own OpenSSL under the
// same names; including those by accident compiles, links and then corrupts memory, so it is refused here.
#pragma once

#include <openssl/base.h>

#ifndef OPENSSL_IS_AWSLC
#error "<openssl/…> resolved to headers that are not AWS-LC's: check the order of the include folders"
#endif

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs8.h>
#include <openssl/pool.h>
#include <openssl/rand.h>
#include <openssl/service_indicator.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
