// The roots (and revocation lists) that peers are verified against. Parsing the system's roots costs milliseconds, so
// one store serves any number of contexts.
#pragma once

#include <napi.h>

#include "aws_lc.h"
#include "js_values.h"
#include "wrapped.h"

namespace aws_lc {

class TrustStore : public Wrapped<TrustStore> {
 public:
  static Napi::Function Define(Napi::Env env);
  // new TrustStore(contents: TrustContents), see lib/index.d.ts. Throws an Error with `operation` and `reason`.
  explicit TrustStore(const Napi::CallbackInfo& info);

  X509_STORE* store() const { return store_.get(); }
  // The subjects of the roots, for CertificateRequest (RFC 8446, section 4.2.4). The caller owns the result.
  bssl::UniquePtr<STACK_OF(X509_NAME)> SubjectNames() const;
  // The issuer of a certificate, by name and key identifier, or null.
  bssl::UniquePtr<X509> FindIssuer(X509* certificate) const;

 private:
  bool AddAllOf(const TrustStore& other);
  bool AddCertificates(const std::vector<ByteView>& certificates, bool ignore_unparsable);
  bool AddRevocationLists(const std::vector<ByteView>& lists);

  bssl::UniquePtr<X509_STORE> store_;
};

}  // namespace aws_lc
