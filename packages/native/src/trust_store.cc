#include "trust_store.h"

#include "credentials.h"
#include "js_values.h"
#include "js_error.h"

namespace aws_lc {

Napi::Function TrustStore::Define(Napi::Env env) { return DefineClass(env, "TrustStore", {}); }

TrustStore::TrustStore(const Napi::CallbackInfo& info) : Wrapped(info), store_(X509_STORE_new()) {
  const auto contents = info[0].As<Napi::Object>();
  const Napi::Value base = GetOption(contents, "base");
  const TrustStore* base_store = base.IsEmpty() ? nullptr : TrustStore::Unwrap(base.As<Napi::Object>());
  const bool added = (base_store == nullptr || AddAllOf(*base_store)) &&
                     AddCertificates(ToByteViews(GetOption(contents, "certificates")), GetBoolean(contents, "ignoreUnparsable"));
  if (!added) {
    ThrowFromErrorQueue(info.Env(), "ca");
    return;
  }
  if (!AddRevocationLists(ToByteViews(GetOption(contents, "crls")))) {
    ThrowFromErrorQueue(info.Env(), "crl");
    return;
  }
  if (GetBoolean(contents, "partialChain")) X509_STORE_set_flags(store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
  // The first look-up would do it, on another thread while this one goes through the objects.
  sk_X509_OBJECT_sort(X509_STORE_get0_objects(store_.get()));
}

bool TrustStore::AddAllOf(const TrustStore& other) {
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(other.store_.get());
  for (size_t i = 0; i < sk_X509_OBJECT_num(objects); i++) {
    X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate != nullptr && !X509_STORE_add_cert(store_.get(), certificate)) return false;
  }
  return true;
}

// A system bundle with one certificate that AWS-LC refuses must not take the other hundred with it.
bool TrustStore::AddCertificates(const std::vector<ByteView>& certificates, bool ignore_unparsable) {
  for (const ByteView der : certificates) {
    bssl::UniquePtr<X509> certificate = ParseCertificate(der);
    if (certificate != nullptr && X509_STORE_add_cert(store_.get(), certificate.get())) continue;
    if (!ignore_unparsable) return false;
    ERR_clear_error();
  }
  return true;
}

// With a list for one authority there must be one for each of the chain, as node:tls has it.
bool TrustStore::AddRevocationLists(const std::vector<ByteView>& lists) {
  for (const ByteView der : lists) {
    bssl::UniquePtr<X509_CRL> crl = ParseCrl(der);
    if (crl == nullptr || !X509_STORE_add_crl(store_.get(), crl.get())) return false;
  }
  if (!lists.empty()) X509_STORE_set_flags(store_.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return true;
}

bssl::UniquePtr<X509> TrustStore::FindIssuer(X509* certificate) const {
  bssl::UniquePtr<X509_STORE_CTX> lookup(X509_STORE_CTX_new());
  X509* issuer = nullptr;
  if (lookup != nullptr && X509_STORE_CTX_init(lookup.get(), store_.get(), certificate, nullptr)) {
    X509_STORE_CTX_get1_issuer(&issuer, lookup.get(), certificate);
  }
  ERR_clear_error();
  return bssl::UniquePtr<X509>(issuer);
}

bssl::UniquePtr<STACK_OF(X509_NAME)> TrustStore::SubjectNames() const {
  bssl::UniquePtr<STACK_OF(X509_NAME)> names(sk_X509_NAME_new_null());
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(store_.get());
  for (size_t i = 0; i < sk_X509_OBJECT_num(objects); i++) {
    X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate == nullptr) continue;
    bssl::UniquePtr<X509_NAME> name(X509_NAME_dup(X509_get_subject_name(certificate)));
    if (name != nullptr && sk_X509_NAME_push(names.get(), name.get())) (void)name.release();
  }
  return names;
}

}  // namespace aws_lc
