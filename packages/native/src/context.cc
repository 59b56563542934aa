#include "context.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "credentials.h"
#include "env_data.h"
#include "js_values.h"
#include "js_error.h"
#include "signature.h"
#include "ticket_keys.h"

namespace aws_lc {
namespace {

// What OpenSSL's users expect and AWS-LC leaves to be asked for.
constexpr uint32_t kServerOptions = SSL_OP_CIPHER_SERVER_PREFERENCE;

// AWS-LC's default with Ed25519, which it leaves out and OpenSSL's users have certificates of.
constexpr uint16_t kVerifyAlgorithms[] = {
    SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256,
    SSL_SIGN_ED25519,                SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384,
    SSL_SIGN_RSA_PKCS1_SHA384,       SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_RSA_PSS_RSAE_SHA512,
    SSL_SIGN_RSA_PKCS1_SHA512,       SSL_SIGN_MLDSA44,                SSL_SIGN_MLDSA65,
    SSL_SIGN_MLDSA87,
};

// Issuers that name each other would go on for ever.
constexpr size_t kLongestChain = 10;

bool Fail(Napi::Env env, const char* what) {
  ThrowFromErrorQueue(env, what);
  return false;
}

}  // namespace

Napi::Function Context::Define(Napi::Env env) { return DefineClass(env, "Context", {}); }

Context::Context(const Napi::CallbackInfo& info) : Wrapped(info), ctx_(SSL_CTX_new(TLS_method())) {
  config_.ctx = ctx_.get();
  Configure(info[0].As<Napi::Object>());
}

bool Context::Configure(const Napi::Object& options) {
  config_.is_server = GetBoolean(options, "isServer");
  SSL_CTX_set_mode(ctx_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  Engine::InstallCallbacks(ctx_.get());
  if (config_.is_server) {
    if (!GetBoolean(options, "followsClientOrder")) SSL_CTX_set_options(ctx_.get(), kServerOptions);
    Engine::InstallServerCallbacks(ctx_.get());
    config_.asks_server_name = GetBoolean(options, "asksServerName");
    config_.asks_alpn = GetBoolean(options, "asksAlpn");
    config_.asks_ocsp_response = GetBoolean(options, "asksOcspResponse");
  }
  return ConfigureVersions(options) && ConfigureAlgorithms(options) && ConfigureSignatures(options) &&
         ConfigureIdentities(options) && ConfigureVerification(options) && ConfigureAlpn(options) &&
         ConfigureSessions(options);
}

bool Context::ConfigureVersions(const Napi::Object& options) {
  const auto min = static_cast<uint16_t>(GetInteger(options, "minVersion"));
  const auto max = static_cast<uint16_t>(GetInteger(options, "maxVersion"));
  if (!SSL_CTX_set_min_proto_version(ctx_.get(), min)) return Fail(Env(), "minVersion");
  if (!SSL_CTX_set_max_proto_version(ctx_.get(), max)) return Fail(Env(), "maxVersion");
  return true;
}

bool Context::ConfigureAlgorithms(const Napi::Object& options) {
  if (const Napi::Value list = GetOption(options, "cipherList"); !list.IsEmpty()) {
    cipher_list_ = ToText(list);
    config_.cipher_list = cipher_list_;
    if (!SSL_CTX_set_cipher_list(ctx_.get(), cipher_list_.c_str())) return Fail(Env(), "cipherList");
  }
  if (const Napi::Value list = GetOption(options, "cipherSuites"); !list.IsEmpty()) {
    cipher_suites_ = ToText(list);
    config_.cipher_suites = cipher_suites_;
    if (!SSL_CTX_set_ciphersuites(ctx_.get(), cipher_suites_.c_str())) return Fail(Env(), "cipherSuites");
  }
  if (const Napi::Value list = GetOption(options, "groups"); !list.IsEmpty()) {
    if (!SSL_CTX_set1_groups_list(ctx_.get(), ToText(list).c_str())) return Fail(Env(), "groups");
  }
  return true;
}

// One list says what this end signs with and what it accepts, as OpenSSL has it.
bool Context::ConfigureSignatures(const Napi::Object& options) {
  for (const Napi::Value& value : GetList(options, "sigalgs")) sigalgs_.push_back(ToInteger<uint16_t>(value));
  if (sigalgs_.empty()) {
    if (SSL_CTX_set_verify_algorithm_prefs(ctx_.get(), kVerifyAlgorithms, std::size(kVerifyAlgorithms))) return true;
    return Fail(Env(), "sigalgs");
  }
  config_.sigalgs = sigalgs_;
  if (SSL_CTX_set_verify_algorithm_prefs(ctx_.get(), sigalgs_.data(), sigalgs_.size()) &&
      SSL_CTX_set_signing_algorithm_prefs(ctx_.get(), sigalgs_.data(), sigalgs_.size())) {
    return true;
  }
  return Fail(Env(), "sigalgs");
}

// Each key takes the chain whose leaf it belongs to, that of its own place first.
bool Context::ConfigureIdentities(const Napi::Object& options) {
  const Napi::Value trust_value = GetOption(options, "trust");
  TrustStore* trust = trust_value.IsEmpty() ? nullptr : TrustStore::Unwrap(trust_value.As<Napi::Object>());
  std::vector<std::vector<ByteView>> certificates;
  std::vector<bssl::UniquePtr<X509>> leaves;
  for (const Napi::Value& chain : GetList(options, "chains")) {
    certificates.push_back(ToByteViews(chain));
    for (const ByteView der : certificates.back()) {
      bssl::UniquePtr<X509> certificate = ParseCertificate(der);
      if (certificate == nullptr) return Fail(Env(), "cert");
      if (leaves.size() < certificates.size()) leaves.push_back(std::move(certificate));
    }
  }
  const std::vector<Napi::Value> keys = GetList(options, "keys");
  for (size_t i = 0; i < keys.size(); i++) {
    const auto description = keys[i].As<Napi::Object>();
    std::optional<std::string> passphrase;
    if (const Napi::Value text = GetOption(description, "passphrase"); !text.IsEmpty()) passphrase = ToText(text);
    bssl::UniquePtr<EVP_PKEY> key =
        ParsePrivateKey(ToBytes(GetOption(description, "key")), GetBoolean(description, "keyIsPem"), passphrase);
    if (passphrase.has_value()) OPENSSL_cleanse(passphrase->data(), passphrase->size());
    if (key == nullptr) return Fail(Env(), "key");
    const auto belongs = [&key](const bssl::UniquePtr<X509>& leaf) {
      return X509_check_private_key(leaf.get(), key.get()) == 1;
    };
    size_t place = i;
    if (place >= leaves.size() || !belongs(leaves[place])) {
      place = static_cast<size_t>(std::find_if(leaves.begin(), leaves.end(), belongs) - leaves.begin());
    }
    if (place == leaves.size()) return Fail(Env(), "keyMismatch");
    ERR_clear_error();
    if (!AddIdentity(key.get(), certificates[place], trust)) return false;
  }
  if (GetBoolean(options, "signsElsewhere") && !AddRemoteIdentity(certificates, options)) return false;
  // Of several one is chosen for each client, see Engine::HandleClientHello().
  if (config_.is_server && keys.size() == 1 && IsCostlyToSign(identities_[0].key.get()) &&
      !UseIdentity(ctx_.get(), identities_[0])) {
    return Fail(Env(), "cert");
  }
  config_.identities = &identities_;
  return true;
}

// The chain of a private key that somebody else has, and what that key is good for.
bool Context::AddRemoteIdentity(const std::vector<std::vector<ByteView>>& chains, const Napi::Object& options) {
  Identity identity;
  if (chains.empty()) return false;
  for (const ByteView der : chains.front()) {
    bssl::UniquePtr<X509> certificate = ParseCertificate(der);
    identity.chain.push_back(ToCryptoBuffer(certificate.get()));
    if (identity.chain.size() == 2) identity.issuer = std::move(certificate);
  }
  if (!UseIdentity(ctx_.get(), identity)) return Fail(Env(), "cert");
  std::vector<uint16_t> algorithms;
  for (const Napi::Value& value : GetList(options, "signingAlgorithms")) {
    algorithms.push_back(ToInteger<uint16_t>(value));
  }
  if (!SSL_CTX_set_signing_algorithm_prefs(ctx_.get(), algorithms.data(), algorithms.size())) {
    return Fail(Env(), "sigalgs");
  }
  identities_.push_back(std::move(identity));
  return true;
}

// A leaf alone is sent with the issuers that `ca` has for it, the root excepted, as OpenSSL does it.
bool Context::AddIdentity(EVP_PKEY* key, const std::vector<ByteView>& certificates, TrustStore* trust) {
  std::vector<bssl::UniquePtr<X509>> chain;
  for (const ByteView der : certificates) chain.push_back(ParseCertificate(der));
  Identity identity;
  if (chain.size() == 1 && trust != nullptr) {
    while (chain.size() < kLongestChain) {
      bssl::UniquePtr<X509> issuer = trust->FindIssuer(chain.back().get());
      if (issuer == nullptr) break;
      if (identity.issuer == nullptr) identity.issuer = bssl::UpRef(issuer);
      if (IsSelfIssued(issuer.get())) break;
      chain.push_back(std::move(issuer));
    }
  } else if (chain.size() > 1) {
    identity.issuer = bssl::UpRef(chain[1]);
  }
  bssl::UniquePtr<STACK_OF(X509)> others(sk_X509_new_null());
  for (size_t i = 0; i < chain.size(); i++) {
    identity.chain.push_back(ToCryptoBuffer(chain[i].get()));
    if (i > 0 && !bssl::PushToStack(others.get(), bssl::UpRef(chain[i]))) return Fail(Env(), "cert");
  }
  if (!SSL_CTX_use_cert_and_key(ctx_.get(), chain[0].get(), key, others.get(), 1)) return Fail(Env(), "cert");
  identity.key = bssl::UpRef(key);
  identities_.push_back(std::move(identity));
  return true;
}

bool Context::ConfigureVerification(const Napi::Object& options) {
  config_.peer_verification = static_cast<PeerVerification>(GetInteger(options, "peerVerification"));
  config_.checks_identity = GetBoolean(options, "checksIdentity");
  if (config_.peer_verification == PeerVerification::kNone) return true;
  int mode = SSL_VERIFY_PEER;
  if (config_.peer_verification == PeerVerification::kRequired) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  Engine::InstallVerification(ctx_.get(), mode);
  const Napi::Value trust_value = GetOption(options, "trust");
  if (trust_value.IsEmpty()) return true;
  TrustStore* trust = TrustStore::Unwrap(trust_value.As<Napi::Object>());
  if (trust == nullptr) return false;
  X509_STORE_up_ref(trust->store());
  SSL_CTX_set_cert_store(ctx_.get(), trust->store());
  if (config_.is_server) SSL_CTX_set_client_CA_list(ctx_.get(), trust->SubjectNames().release());
  return true;
}

bool Context::ConfigureAlpn(const Napi::Object& options) {
  const Napi::Value value = GetOption(options, "alpn");
  if (value.IsEmpty()) return true;
  const ByteView wire = ToBytes(value);
  if (config_.is_server) {
    alpn_.assign(wire.begin(), wire.end());
    config_.alpn = alpn_;
    return true;
  }
  // Unlike its neighbours this function answers zero on success.
  if (SSL_CTX_set_alpn_protos(ctx_.get(), wire.data(), wire.size()) != 0) return Fail(Env(), "alpn");
  return true;
}

// A session stands for the certificate that this end proved itself with, so it is of no use under another one. Trust is
// not part of it: the chain is verified anew on every resumption.
void Context::BindSessions() {
  uint8_t* der = nullptr;
  X509* leaf = SSL_CTX_get0_certificate(ctx_.get());
  const int length = leaf == nullptr ? 0 : i2d_X509(leaf, &der);
  if (length > 0) SHA256(der, static_cast<size_t>(length), config_.session_binding.data());
  OPENSSL_free(der);
}

bool Context::ConfigureSessions(const Napi::Object& options) {
  if (!config_.is_server) {
    SSL_CTX_set_session_cache_mode(ctx_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (GetBoolean(options, "requestsOcspResponse")) SSL_CTX_enable_ocsp_stapling(ctx_.get());
    BindSessions();
    return true;
  }
  if (GetBoolean(options, "noTickets")) SSL_CTX_set_options(ctx_.get(), SSL_OP_NO_TICKET);
  if (const Napi::Value keys = GetOption(options, "ticketKeys"); !keys.IsEmpty()) {
    TicketKeys* ticket_keys = TicketKeys::Unwrap(keys.As<Napi::Object>());
    if (ticket_keys == nullptr) return false;
    config_.ticket_keys = ticket_keys->keys();
    TicketKeySet::Install(ctx_.get());
  }
  if (const int64_t timeout = GetInteger(options, "sessionTimeout"); timeout > 0) {
    SSL_CTX_set_timeout(ctx_.get(), static_cast<uint32_t>(timeout));
    SSL_CTX_set_session_psk_dhe_timeout(ctx_.get(), static_cast<uint32_t>(timeout));
  }
  // Tickets alone carry sessions, unless somebody outside keeps them; the context binds them to the client-certificate
  // policy they were made under.
  config_.stores_sessions = GetBoolean(options, "storesSessions");
  if (config_.stores_sessions) {
    Engine::InstallSessionStore(ctx_.get());
  } else {
    SSL_CTX_set_session_cache_mode(ctx_.get(), SSL_SESS_CACHE_OFF);
  }
  const ByteView id = ToBytes(GetOption(options, "sessionIdContext"));
  if (!SSL_CTX_set_session_id_context(ctx_.get(), id.data(), id.size())) return Fail(Env(), "sessionIdContext");
  return true;
}

}  // namespace aws_lc
