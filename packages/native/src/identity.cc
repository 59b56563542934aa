#include "identity.h"

#include <algorithm>

#include "engine.h"
#include "signature.h"

namespace aws_lc {
namespace {

// What libssl signs with where nothing else is asked for, in OpenSSL's order: libssl's would have RSA before P-384.
constexpr uint16_t kDefaultSigningAlgorithms[] = {
    SSL_SIGN_ECDSA_SECP256R1_SHA256,
    SSL_SIGN_ECDSA_SECP384R1_SHA384,
    SSL_SIGN_ECDSA_SECP521R1_SHA512,
    SSL_SIGN_ED25519,
    SSL_SIGN_RSA_PSS_RSAE_SHA256,
    SSL_SIGN_RSA_PSS_RSAE_SHA384,
    SSL_SIGN_RSA_PSS_RSAE_SHA512,
    SSL_SIGN_RSA_PKCS1_SHA256,
    SSL_SIGN_RSA_PKCS1_SHA384,
    SSL_SIGN_RSA_PKCS1_SHA512,
    SSL_SIGN_ECDSA_SHA1,
    SSL_SIGN_RSA_PKCS1_SHA1,
};

// What a client that does not say means (RFC 5246, section 7.4.1.4.1).
constexpr uint16_t kLegacyAlgorithms[] = {SSL_SIGN_RSA_PKCS1_SHA1, SSL_SIGN_ECDSA_SHA1};

// What of a ClientHello bears on the choice.
struct Client {
  bool tls13 = false;
  // NID_auth_rsa or NID_auth_ecdsa: what the first cipher suite that both ends have calls for.
  int auth = NID_undef;
  std::vector<uint16_t> sigalgs;
  std::vector<uint16_t> groups;
};

bool Contains(const std::vector<uint16_t>& list, uint16_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// The numbers of an extension that is a list of them, behind its length.
std::vector<uint16_t> ReadList(const SSL_CLIENT_HELLO* hello, uint16_t extension, bool short_length) {
  std::vector<uint16_t> values;
  const uint8_t* data = nullptr;
  size_t length = 0;
  if (!SSL_early_callback_ctx_extension_get(hello, extension, &data, &length)) return values;
  CBS body, list;
  CBS_init(&body, data, length);
  if (!(short_length ? CBS_get_u8_length_prefixed(&body, &list) : CBS_get_u16_length_prefixed(&body, &list))) {
    return values;
  }
  for (uint16_t value; CBS_get_u16(&list, &value);) values.push_back(value);
  return values;
}

bool HasKind(const std::vector<Identity>& identities, int auth) {
  return std::any_of(identities.begin(), identities.end(), [auth](const Identity& identity) {
    return (EVP_PKEY_id(identity.key.get()) == EVP_PKEY_RSA) == (auth == NID_auth_rsa);
  });
}

// Whose order decides is SSL_OP_CIPHER_SERVER_PREFERENCE's to say.
int SelectAuth(const std::vector<Identity>& identities, const SSL_CLIENT_HELLO* hello) {
  std::vector<uint16_t> offered;
  CBS suites;
  CBS_init(&suites, hello->cipher_suites, hello->cipher_suites_len);
  for (uint16_t value; CBS_get_u16(&suites, &value);) offered.push_back(value);
  std::vector<const SSL_CIPHER*> shared;
  for (const SSL_CIPHER* cipher : SSL_get_ciphers(hello->ssl)) {
    if (Contains(offered, SSL_CIPHER_get_protocol_id(cipher))) shared.push_back(cipher);
  }
  if ((SSL_get_options(hello->ssl) & SSL_OP_CIPHER_SERVER_PREFERENCE) == 0) {
    const auto place = [&offered](const SSL_CIPHER* cipher) {
      return std::find(offered.begin(), offered.end(), SSL_CIPHER_get_protocol_id(cipher));
    };
    std::sort(shared.begin(), shared.end(), [&place](auto* one, auto* other) { return place(one) < place(other); });
  }
  for (const SSL_CIPHER* cipher : shared) {
    const int auth = SSL_CIPHER_get_auth_nid(cipher);
    if ((auth == NID_auth_rsa || auth == NID_auth_ecdsa) && HasKind(identities, auth)) return auth;
  }
  return NID_undef;
}

Client Describe(const std::vector<Identity>& identities, const SSL_CLIENT_HELLO* hello) {
  Client client;
  const SSL_CTX* ctx = SSL_get_SSL_CTX(hello->ssl);
  client.tls13 = Contains(ReadList(hello, TLSEXT_TYPE_supported_versions, true), TLS1_3_VERSION) &&
                 SSL_CTX_get_max_proto_version(ctx) >= TLS1_3_VERSION;
  client.groups = ReadList(hello, TLSEXT_TYPE_supported_groups, false);
  client.sigalgs = ReadList(hello, TLSEXT_TYPE_signature_algorithms, false);
  if (client.sigalgs.empty()) client.sigalgs.assign(std::begin(kLegacyAlgorithms), std::end(kLegacyAlgorithms));
  if (!client.tls13) client.auth = SelectAuth(identities, hello);
  return client;
}

bool RsaSigns(uint16_t sigalg, const Client& client) {
  switch (sigalg) {
    case SSL_SIGN_RSA_PSS_RSAE_SHA256:
    case SSL_SIGN_RSA_PSS_RSAE_SHA384:
    case SSL_SIGN_RSA_PSS_RSAE_SHA512:
      return client.tls13 || client.auth == NID_auth_rsa;
    case SSL_SIGN_RSA_PKCS1_SHA1:
    case SSL_SIGN_RSA_PKCS1_SHA256:
    case SSL_SIGN_RSA_PKCS1_SHA384:
    case SSL_SIGN_RSA_PKCS1_SHA512:
      return !client.tls13 && client.auth == NID_auth_rsa;
    default:
      return false;
  }
}

struct Curve {
  int nid;
  uint16_t group;
  uint16_t sigalg;
};
constexpr Curve kCurves[] = {
    {NID_X9_62_prime256v1, SSL_GROUP_SECP256R1, SSL_SIGN_ECDSA_SECP256R1_SHA256},
    {NID_secp384r1, SSL_GROUP_SECP384R1, SSL_SIGN_ECDSA_SECP384R1_SHA384},
    {NID_secp521r1, SSL_GROUP_SECP521R1, SSL_SIGN_ECDSA_SECP521R1_SHA512},
};

// TLS 1.3 binds the curve to the algorithm (RFC 8446, section 4.2.3); before, it had to be among the groups (RFC 8422,
// section 5.1).
bool EcdsaSigns(const EVP_PKEY* key, uint16_t sigalg, const Client& client) {
  const bool is_ecdsa = sigalg == SSL_SIGN_ECDSA_SHA1 || std::any_of(std::begin(kCurves), std::end(kCurves), [&](const Curve& curve) {
    return curve.sigalg == sigalg;
  });
  if (!is_ecdsa) return false;
  const int nid = EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)));
  for (const Curve& curve : kCurves) {
    if (curve.nid != nid) continue;
    if (client.tls13) return curve.sigalg == sigalg;
    return client.auth == NID_auth_ecdsa && (client.groups.empty() || Contains(client.groups, curve.group));
  }
  return false;
}

bool Signs(const EVP_PKEY* key, uint16_t sigalg, const Client& client) {
  switch (EVP_PKEY_id(key)) {
    case EVP_PKEY_RSA:
      return RsaSigns(sigalg, client);
    case EVP_PKEY_EC:
      return EcdsaSigns(key, sigalg, client);
    case EVP_PKEY_ED25519:
      return sigalg == SSL_SIGN_ED25519 && (client.tls13 || client.auth == NID_auth_ecdsa);
    default:
      return false;
  }
}

}  // namespace

std::span<const uint16_t> SigningAlgorithms(std::span<const uint16_t> chosen) {
  return chosen.empty() ? std::span<const uint16_t>(kDefaultSigningAlgorithms) : chosen;
}

Selection SelectIdentity(const std::vector<Identity>& identities, std::span<const uint16_t> sigalgs,
                         const SSL_CLIENT_HELLO* hello) {
  const Client client = Describe(identities, hello);
  if (sigalgs.empty()) sigalgs = kDefaultSigningAlgorithms;
  for (const uint16_t sigalg : sigalgs) {
    if (!Contains(client.sigalgs, sigalg)) continue;
    for (const Identity& identity : identities) {
      if (Signs(identity.key.get(), sigalg, client)) return {&identity, sigalg};
    }
  }
  return {};
}

namespace {

// The key itself, or how to get at what it makes.
struct KeyOrMethod {
  EVP_PKEY* key = nullptr;
  const SSL_PRIVATE_KEY_METHOD* method = nullptr;
};

KeyOrMethod KeyOf(const Identity& identity) {
  if (identity.key == nullptr) return {nullptr, Engine::RemoteKeyMethod()};
  if (IsCostlyToSign(identity.key.get())) return {nullptr, Engine::CostlyKeyMethod()};
  return {identity.key.get(), nullptr};
}

std::vector<CRYPTO_BUFFER*> ChainOf(const Identity& identity) {
  std::vector<CRYPTO_BUFFER*> chain;
  for (const bssl::UniquePtr<CRYPTO_BUFFER>& certificate : identity.chain) chain.push_back(certificate.get());
  return chain;
}

}  // namespace

bool UseIdentity(SSL* ssl, const Selection& selection) {
  const std::vector<CRYPTO_BUFFER*> chain = ChainOf(*selection.identity);
  const auto [key, method] = KeyOf(*selection.identity);
  return SSL_set_chain_and_key(ssl, chain.data(), chain.size(), key, method) == 1 &&
         SSL_set_signing_algorithm_prefs(ssl, &selection.sigalg, 1) == 1;
}

bool UseIdentity(SSL_CTX* ctx, const Identity& identity) {
  const std::vector<CRYPTO_BUFFER*> chain = ChainOf(identity);
  const auto [key, method] = KeyOf(identity);
  return SSL_CTX_set_chain_and_key(ctx, chain.data(), chain.size(), key, method) == 1;
}

}  // namespace aws_lc
