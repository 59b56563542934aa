// An immutable SSL_CTX built from the plain, validated description that the TypeScript configs hand over.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "aws_lc.h"
#include "engine.h"
#include "js_values.h"
#include "trust_store.h"
#include "wrapped.h"

namespace aws_lc {

class Context : public Wrapped<Context> {
 public:
  static Napi::Function Define(Napi::Env env);
  // new Context(options: ContextOptions), see lib/index.d.ts. Throws an Error with `operation` and `reason`.
  explicit Context(const Napi::CallbackInfo& info);

  const EngineConfig& config() const { return config_; }

 private:
  bool Configure(const Napi::Object& options);
  bool ConfigureVersions(const Napi::Object& options);
  bool ConfigureAlgorithms(const Napi::Object& options);
  bool ConfigureSignatures(const Napi::Object& options);
  bool ConfigureIdentities(const Napi::Object& options);
  bool AddIdentity(EVP_PKEY* key, const std::vector<ByteView>& certificates, TrustStore* trust);
  bool AddRemoteIdentity(const std::vector<std::vector<ByteView>>& chains, const Napi::Object& options);
  bool ConfigureVerification(const Napi::Object& options);
  bool ConfigureAlpn(const Napi::Object& options);
  bool ConfigureSessions(const Napi::Object& options);
  void BindSessions();

  bssl::UniquePtr<SSL_CTX> ctx_;
  EngineConfig config_;
  std::vector<uint8_t> alpn_;  // wire format, in the server's order of preference
  std::vector<uint16_t> sigalgs_;
  std::string cipher_list_;
  std::string cipher_suites_;
  std::vector<Identity> identities_;
};

}  // namespace aws_lc
