// An immutable SSL_CTX built from the plain, validated description that the TypeScript configs hand over.
#pragma once

#include <napi.h>

#include <vector>

#include "aws_lc.h"
#include "trust_store.h"

namespace aws_lc {

// What is demanded of the peer's certificate.
enum class PeerVerification : uint8_t {
  kNone = 0,      // server: no certificate is requested
  kRecord = 1,    // verified, the result is recorded, the handshake goes on whatever it is
  kOptional = 2,  // server: none is fine, a bad one is refused
  kRequired = 3,  // a valid one or no connection
};

class Context : public Napi::ObjectWrap<Context> {
 public:
  static Napi::Function Define(Napi::Env env);
  // new Context(options: ContextOptions), see lib/index.d.ts. Throws an Error with `operation` and `reason`.
  explicit Context(const Napi::CallbackInfo& info);

  SSL_CTX* ssl_ctx() const { return ctx_.get(); }
  bool is_server() const { return is_server_; }
  PeerVerification peer_verification() const { return peer_verification_; }
  // Whether JavaScript judges the peer's identity (its name) inside the handshake.
  bool checks_identity() const { return checks_identity_; }

 private:
  bool Configure(const Napi::Object& options);
  bool ConfigureVersions(const Napi::Object& options);
  bool ConfigureAlgorithms(const Napi::Object& options);
  bool ConfigureIdentities(const Napi::Object& options);
  bool ConfigureVerification(const Napi::Object& options);
  bool ConfigureAlpn(const Napi::Object& options);
  bool ConfigureSessions(const Napi::Object& options);

  static int SelectAlpn(SSL* ssl, const uint8_t** out, uint8_t* out_length, const uint8_t* offered,
                        unsigned offered_length, void* arg);

  bssl::UniquePtr<SSL_CTX> ctx_;
  bool is_server_ = false;
  bool checks_identity_ = false;
  PeerVerification peer_verification_ = PeerVerification::kNone;
  std::vector<uint8_t> alpn_;  // wire format, in the server's order of preference
};

}  // namespace aws_lc
