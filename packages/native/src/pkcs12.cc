#include "pkcs12.h"

#include <optional>
#include <string>

#include "credentials.h"
#include "js_error.h"
#include "js_values.h"

namespace aws_lc {
namespace {

Napi::Array ToDerList(Napi::Env env, const std::vector<bssl::UniquePtr<X509>>& certificates) {
  Napi::Array list = Napi::Array::New(env, certificates.size());
  for (uint32_t i = 0; i < certificates.size(); i++) {
    const bssl::UniquePtr<CRYPTO_BUFFER> der = ToCryptoBuffer(certificates[i].get());
    list.Set(i, ToBuffer(env, CRYPTO_BUFFER_data(der.get()), CRYPTO_BUFFER_len(der.get())));
  }
  return list;
}

Napi::Value ToPkcs8(Napi::Env env, const EVP_PKEY* key) {
  bssl::ScopedCBB cbb;
  uint8_t* der = nullptr;
  size_t length = 0;
  if (!CBB_init(cbb.get(), 0) || !EVP_marshal_private_key(cbb.get(), key) || !CBB_finish(cbb.get(), &der, &length)) {
    ThrowFromErrorQueue(env, "pfx");
    return env.Undefined();
  }
  const Napi::Value buffer = ToBuffer(env, der, length);
  OPENSSL_cleanse(der, length);
  OPENSSL_free(der);
  return buffer;
}

}  // namespace

Napi::Value ReadPkcs12(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::optional<std::string> passphrase;
  if (info[1].IsString()) passphrase = ToText(info[1]);
  ERR_clear_error();
  const std::optional<Pkcs12> contents = ParsePkcs12(ToBytes(info[0]), passphrase);
  if (passphrase.has_value()) OPENSSL_cleanse(passphrase->data(), passphrase->size());
  if (!contents.has_value()) {
    // libcrypto files it under a library that has no words for it.
    if (ERR_GET_REASON(ERR_peek_error()) == PKCS8_R_INCORRECT_PASSWORD) {
      ERR_clear_error();
      OPENSSL_PUT_ERROR(PKCS8, PKCS8_R_INCORRECT_PASSWORD);
    }
    ThrowFromErrorQueue(env, "pfx");
    return env.Undefined();
  }
  Napi::Object result = Napi::Object::New(env);
  if (contents->key != nullptr) result.Set("key", ToPkcs8(env, contents->key.get()));
  result.Set("chain", ToDerList(env, contents->chain));
  result.Set("others", ToDerList(env, contents->others));
  return result;
}

}  // namespace aws_lc
