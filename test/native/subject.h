// A connection whose one side is on a kernel that seals and whose other side is not. The kernel can change keys where the
// request says that it can.
#pragma once

#include "link.h"
#include "sealing_kernel.h"

namespace aws_lc {

struct Subject {
  Subject(const Suite& suite, bool server, const KtlsRequest& request)
      : link(suite, server ? &peer_end : &kernel, server ? &kernel : &peer_end),
        engine(link.engine(server)),
        peer(link.engine(!server)) {
    kernel.can_rekey = request.can_rekey;
    engine.RequestKernelTls(request);
    link.Handshake();
    ReadAll(&peer);
    ReadAll(&engine);
  }

  SealingKernel kernel;
  WireEnd peer_end;
  Link link;
  Engine& engine;
  Engine& peer;
};

}  // namespace aws_lc
