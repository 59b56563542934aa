#include "algorithms.h"

#include <vector>

#include "aws_lc.h"
#include "js_error.h"
#include "js_values.h"

namespace aws_lc {

Napi::Value ListCipherSuites(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  bssl::UniquePtr<SSL_CTX> ctx(SSL_CTX_new(TLS_method()));
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(ctx.get());
  Napi::Array list = Napi::Array::New(env);
  for (size_t i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, i);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", SSL_CIPHER_get_name(cipher));
    entry.Set("standardName", SSL_CIPHER_standard_name(cipher));
    entry.Set("tls13", Napi::Boolean::New(env, SSL_CIPHER_get_min_version(cipher) >= TLS1_3_VERSION));
    list.Set(static_cast<uint32_t>(i), entry);
  }
  return list;
}

Napi::Value ResolveCipherList(const Napi::CallbackInfo& info) {
  bssl::UniquePtr<SSL_CTX> ctx(SSL_CTX_new(TLS_method()));
  if (!SSL_CTX_set_cipher_list(ctx.get(), ToText(info[0]).c_str())) {
    ThrowFromErrorQueue(info.Env(), "cipherList");
    return info.Env().Undefined();
  }
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(ctx.get());
  Napi::Array names = Napi::Array::New(info.Env());
  for (size_t i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, i);
    if (SSL_CIPHER_get_min_version(cipher) < TLS1_3_VERSION) names.Set(names.Length(), SSL_CIPHER_get_name(cipher));
  }
  return names;
}

Napi::Value ListGroups(const Napi::CallbackInfo& info) {
  std::vector<const char*> names(SSL_get_all_group_names(nullptr, 0));
  SSL_get_all_group_names(names.data(), names.size());
  Napi::Array list = Napi::Array::New(info.Env());
  for (size_t i = 0; i < names.size(); i++) list.Set(static_cast<uint32_t>(i), names[i]);
  return list;
}

Napi::Value LibraryInfo(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("version", AWSLC_VERSION_NUMBER_STRING);
  object.Set("description", awslc_version_string());
  object.Set("fips", Napi::Boolean::New(info.Env(), FIPS_mode() != 0));
  return object;
}

}  // namespace aws_lc
