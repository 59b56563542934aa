// What the host's kernel can do for TLS, found out on a loopback connection.
#pragma once

#include <napi.h>

namespace aws_lc {

// probeKernelTls(): NativeHostProbe of lib/index.d.ts. Attaching may make the kernel load its tls module, and installing
// keys the cipher's.
Napi::Value ProbeKernelTls(const Napi::CallbackInfo& info);

}  // namespace aws_lc
