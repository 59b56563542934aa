#include "trust_store.h"

#include "credentials.h"
#include "js_values.h"
#include "js_error.h"

namespace aws_lc {

Napi::Function TrustStore::Define(Napi::Env env) { return DefineClass(env, "TrustStore", {}); }

TrustStore::TrustStore(const Napi::CallbackInfo& info) : ObjectWrap(info), store_(X509_STORE_new()) {
  const std::vector<ByteView> certificates = ToByteViews(info[0]);
  // A system bundle with one certificate that AWS-LC refuses must not take the other hundred with it.
  const bool ignore_unparsable = info[1].ToBoolean();
  for (size_t i = 0; i < certificates.size(); i++) {
    bssl::UniquePtr<X509> certificate = ParseCertificate(certificates[i]);
    if (certificate != nullptr && X509_STORE_add_cert(store_.get(), certificate.get())) continue;
    if (ignore_unparsable) {
      ERR_clear_error();
      continue;
    }
    ThrowFromErrorQueue(info.Env(), "ca");
    return;
  }
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
