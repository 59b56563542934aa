// PKCS #12 for TypeScript, which decides what its parts are good for.
#pragma once

#include <napi.h>

namespace aws_lc {

// readPkcs12(data, passphrase or undefined): a Pkcs12Contents, see lib/index.d.ts. Throws an Error with `reason`.
Napi::Value ReadPkcs12(const Napi::CallbackInfo& info);

}  // namespace aws_lc
