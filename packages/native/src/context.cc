#include "context.h"

#include <iterator>
#include <string>

#include "credentials.h"
#include "env_data.h"
#include "js_values.h"
#include "js_error.h"
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

bool Fail(Napi::Env env, const char* what) {
  ThrowFromErrorQueue(env, what);
  return false;
}

}  // namespace

Napi::Function Context::Define(Napi::Env env) { return DefineClass(env, "Context", {}); }

Context::Context(const Napi::CallbackInfo& info) : ObjectWrap(info), ctx_(SSL_CTX_new(TLS_method())) {
  config_.ctx = ctx_.get();
  Configure(info[0].As<Napi::Object>());
}

bool Context::Configure(const Napi::Object& options) {
  config_.is_server = GetBoolean(options, "isServer");
  SSL_CTX_set_mode(ctx_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (config_.is_server) SSL_CTX_set_options(ctx_.get(), kServerOptions);
  Engine::InstallCallbacks(ctx_.get());
  return ConfigureVersions(options) && ConfigureAlgorithms(options) && ConfigureIdentities(options) &&
         ConfigureVerification(options) && ConfigureAlpn(options) && ConfigureSessions(options);
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
    if (!SSL_CTX_set_cipher_list(ctx_.get(), list.ToString().Utf8Value().c_str())) return Fail(Env(), "cipherList");
  }
  if (const Napi::Value list = GetOption(options, "cipherSuites"); !list.IsEmpty()) {
    if (!SSL_CTX_set_ciphersuites(ctx_.get(), list.ToString().Utf8Value().c_str())) return Fail(Env(), "cipherSuites");
  }
  if (!SSL_CTX_set_verify_algorithm_prefs(ctx_.get(), kVerifyAlgorithms, std::size(kVerifyAlgorithms))) {
    return Fail(Env(), "sigalgs");
  }
  if (const Napi::Value list = GetOption(options, "groups"); !list.IsEmpty()) {
    if (!SSL_CTX_set1_groups_list(ctx_.get(), list.ToString().Utf8Value().c_str())) return Fail(Env(), "groups");
  }
  return true;
}

bool Context::ConfigureIdentities(const Napi::Object& options) {
  const Napi::Value list = GetOption(options, "identities");
  if (list.IsEmpty()) return true;
  const auto identities = list.As<Napi::Array>();
  for (uint32_t i = 0; i < identities.Length(); i++) {
    const auto identity = identities.Get(i).As<Napi::Object>();
    std::optional<std::string> passphrase;
    if (const Napi::Value text = GetOption(identity, "passphrase"); !text.IsEmpty()) passphrase = text.ToString();
    bssl::UniquePtr<EVP_PKEY> key =
        ParsePrivateKey(ToBytes(identity.Get("key")), GetBoolean(identity, "keyIsPem"), passphrase);
    if (passphrase.has_value()) OPENSSL_cleanse(passphrase->data(), passphrase->size());
    if (key == nullptr) return Fail(Env(), "key");

    bssl::UniquePtr<X509> leaf;
    bssl::UniquePtr<STACK_OF(X509)> chain(sk_X509_new_null());
    for (const ByteView der : ToByteViews(identity.Get("certificates"))) {
      bssl::UniquePtr<X509> certificate = ParseCertificate(der);
      if (certificate == nullptr) return Fail(Env(), "cert");
      if (leaf == nullptr) {
        leaf = std::move(certificate);
      } else if (sk_X509_push(chain.get(), certificate.get())) {
        (void)certificate.release();
      }
    }
    if (leaf == nullptr) return Fail(Env(), "cert");
    if (!X509_check_private_key(leaf.get(), key.get())) return Fail(Env(), "keyMismatch");
    if (!SSL_CTX_use_cert_and_key(ctx_.get(), leaf.get(), key.get(), chain.get(), 1)) return Fail(Env(), "cert");
  }
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
    SSL_CTX_set_alpn_select_cb(ctx_.get(), SelectAlpn, this);
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
    BindSessions();
    return true;
  }
  if (GetBoolean(options, "noTickets")) SSL_CTX_set_options(ctx_.get(), SSL_OP_NO_TICKET);
  if (const Napi::Value keys = GetOption(options, "ticketKeys"); !keys.IsEmpty()) {
    config_.ticket_keys = TicketKeys::Unwrap(keys.As<Napi::Object>())->keys();
    TicketKeySet::Install(ctx_.get());
  }
  // Tickets alone carry sessions; the context binds them to the client-certificate policy they were made under.
  SSL_CTX_set_session_cache_mode(ctx_.get(), SSL_SESS_CACHE_OFF);
  const ByteView id = ToBytes(options.Get("sessionIdContext"));
  if (!SSL_CTX_set_session_id_context(ctx_.get(), id.data(), id.size())) return Fail(Env(), "sessionIdContext");
  return true;
}

// The server's preference decides; no overlap is fatal (RFC 7301, section 3.2).
int Context::SelectAlpn(SSL* /*ssl*/, const uint8_t** out, uint8_t* out_length, const uint8_t* offered,
                        unsigned offered_length, void* arg) {
  const auto* context = static_cast<const Context*>(arg);
  uint8_t* selected = nullptr;
  const int result = SSL_select_next_proto(&selected, out_length, context->alpn_.data(),
                                           static_cast<unsigned>(context->alpn_.size()), offered, offered_length);
  *out = selected;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace aws_lc
