#include "credentials.h"

#include <algorithm>
#include <cstring>

namespace aws_lc {
namespace {

// libcrypto asks for a passphrase only when the key is encrypted. Answering an error instead of "no passphrase" keeps
// it from prompting on the terminal.
int ProvidePassphrase(char* buffer, int size, int /*writing*/, void* arg) {
  const auto* passphrase = static_cast<const std::optional<std::string>*>(arg);
  if (!passphrase->has_value()) {
    OPENSSL_PUT_ERROR(PEM, PEM_R_BAD_PASSWORD_READ);
    return -1;
  }
  const std::string& text = **passphrase;
  if (text.size() > static_cast<size_t>(size)) {
    OPENSSL_PUT_ERROR(PEM, PEM_R_BAD_PASSWORD_READ);
    return -1;
  }
  std::memcpy(buffer, text.data(), text.size());
  return static_cast<int>(text.size());
}

bssl::UniquePtr<BIO> MemoryBio(ByteView data) { return bssl::UniquePtr<BIO>(BIO_new_mem_buf(data.data(), static_cast<ossl_ssize_t>(data.size()))); }

bssl::UniquePtr<EVP_PKEY> ParsePlainDerKey(ByteView der) {
  const uint8_t* cursor = der.data();
  bssl::UniquePtr<EVP_PKEY> key(d2i_AutoPrivateKey(nullptr, &cursor, static_cast<long>(der.size())));
  if (key == nullptr) return nullptr;
  if (cursor != der.data() + der.size()) {
    OPENSSL_PUT_ERROR(EVP, EVP_R_DECODE_ERROR);
    return nullptr;
  }
  return key;
}

// EncryptedPrivateKeyInfo (RFC 5958) starts with SEQUENCE { SEQUENCE …; every plain form starts with an INTEGER.
bool LooksLikeEncryptedPkcs8(ByteView der) {
  CBS input, body;
  CBS_init(&input, der.data(), der.size());
  return CBS_get_asn1(&input, &body, CBS_ASN1_SEQUENCE) && CBS_peek_asn1_tag(&body, CBS_ASN1_SEQUENCE);
}

}  // namespace

bssl::UniquePtr<X509> ParseCertificate(ByteView der) {
  const uint8_t* cursor = der.data();
  bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (certificate != nullptr && cursor != der.data() + der.size()) {
    OPENSSL_PUT_ERROR(X509, X509_R_INVALID_FIELD_FOR_VERSION);
    return nullptr;
  }
  return certificate;
}

bssl::UniquePtr<EVP_PKEY> ParsePrivateKey(ByteView data, bool pem, const std::optional<std::string>& passphrase) {
  void* arg = const_cast<std::optional<std::string>*>(&passphrase);
  if (!pem && !LooksLikeEncryptedPkcs8(data)) return ParsePlainDerKey(data);
  bssl::UniquePtr<BIO> bio = MemoryBio(data);
  if (bio == nullptr) return nullptr;
  if (!pem) return bssl::UniquePtr<EVP_PKEY>(d2i_PKCS8PrivateKey_bio(bio.get(), nullptr, ProvidePassphrase, arg));
  return bssl::UniquePtr<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, ProvidePassphrase, arg));
}

bool IsSelfIssued(const X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

bssl::UniquePtr<CRYPTO_BUFFER> ToCryptoBuffer(X509* certificate) {
  uint8_t* der = nullptr;
  const int length = i2d_X509(certificate, &der);
  if (length < 0) return nullptr;
  bssl::UniquePtr<CRYPTO_BUFFER> buffer(CRYPTO_BUFFER_new(der, static_cast<size_t>(length), nullptr));
  OPENSSL_free(der);
  return buffer;
}

std::optional<Pkcs12> ParsePkcs12(ByteView data, const std::optional<std::string>& passphrase) {
  bssl::UniquePtr<STACK_OF(X509)> certificates(sk_X509_new_null());
  EVP_PKEY* key = nullptr;
  const auto parse = [&](const char* password) {
    CBS input;
    CBS_init(&input, data.data(), data.size());
    return PKCS12_get_key_and_certs(&key, certificates.get(), &input, password) == 1;
  };
  // Writers differ in what no passphrase is: none, or an empty one.
  if (!parse(passphrase.has_value() ? passphrase->c_str() : nullptr) && (passphrase.has_value() || !parse(""))) {
    return std::nullopt;
  }
  Pkcs12 result;
  result.key.reset(key);
  std::vector<bssl::UniquePtr<X509>> pool;
  while (X509* certificate = sk_X509_shift(certificates.get())) pool.emplace_back(certificate);
  const auto take = [&pool](const auto& wanted) {
    const auto found = std::find_if(pool.begin(), pool.end(), wanted);
    if (found == pool.end()) return bssl::UniquePtr<X509>();
    bssl::UniquePtr<X509> certificate = std::move(*found);
    pool.erase(found);
    return certificate;
  };
  bssl::UniquePtr<X509> next = take([&](const auto& certificate) {
    return result.key != nullptr && X509_check_private_key(certificate.get(), result.key.get()) == 1;
  });
  while (next != nullptr) {
    result.chain.push_back(std::move(next));
    X509* subject = result.chain.back().get();
    next = take([subject](const auto& issuer) {
      return !IsSelfIssued(issuer.get()) && X509_check_issued(issuer.get(), subject) == X509_V_OK;
    });
  }
  result.others = std::move(pool);
  ERR_clear_error();
  return result;
}

bssl::UniquePtr<X509_CRL> ParseCrl(ByteView der) {
  const uint8_t* cursor = der.data();
  bssl::UniquePtr<X509_CRL> crl(d2i_X509_CRL(nullptr, &cursor, static_cast<long>(der.size())));
  if (crl != nullptr && cursor != der.data() + der.size()) {
    OPENSSL_PUT_ERROR(X509, X509_R_INVALID_FIELD_FOR_VERSION);
    return nullptr;
  }
  return crl;
}

}  // namespace aws_lc
