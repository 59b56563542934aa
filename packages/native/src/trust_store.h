// The roots (and revocation lists) that peers are verified against. Parsing the system's roots costs milliseconds, so
// one store serves any number of contexts.
#pragma once

#include <napi.h>

#include "aws_lc.h"

namespace aws_lc {

class TrustStore : public Napi::ObjectWrap<TrustStore> {
 public:
  static Napi::Function Define(Napi::Env env);
  // new TrustStore(certificates: Uint8Array[] /* DER */, ignoreUnparsable: boolean)
  explicit TrustStore(const Napi::CallbackInfo& info);

  X509_STORE* store() const { return store_.get(); }
  // The subjects of the roots, for CertificateRequest (RFC 8446, section 4.2.4). The caller owns the result.
  bssl::UniquePtr<STACK_OF(X509_NAME)> SubjectNames() const;

 private:
  bssl::UniquePtr<X509_STORE> store_;
};

}  // namespace aws_lc
