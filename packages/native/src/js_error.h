// Errors as JavaScript sees them.
#pragma once

#include <napi.h>

#include "tls_error.h"

namespace aws_lc {

// The NativeError of lib/index.d.ts.
Napi::Object ToObject(Napi::Env env, const TlsError& error);

// Throws an Error whose `reason` and `library` come from the thread's error queue; `what` becomes its `operation`.
void ThrowFromErrorQueue(Napi::Env env, const char* what);

// Throws an Error with the `code` of an errno.
void ThrowSystemError(Napi::Env env, int error);

}  // namespace aws_lc
