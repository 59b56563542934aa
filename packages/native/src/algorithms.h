// What this AWS-LC can do, so that TypeScript can validate names before anything is built.
#pragma once

#include <napi.h>

namespace aws_lc {

// [{ name, standardName, tls13 }]: every cipher suite.
Napi::Value ListCipherSuites(const Napi::CallbackInfo& info);
// resolveCipherList(list): the names, TLS 1.2 and below, that a list in OpenSSL's syntax stands for; throws if none.
Napi::Value ResolveCipherList(const Napi::CallbackInfo& info);
// Group names as `groups` takes them.
Napi::Value ListGroups(const Napi::CallbackInfo& info);
// { version, fips }
Napi::Value LibraryInfo(const Napi::CallbackInfo& info);

}  // namespace aws_lc
