// The name that a client asks for (RFC 6066, section 3), as sessions are bound to it.
#pragma once

#include <algorithm>
#include <string>

#include "aws_lc.h"

namespace aws_lc {

// In lower case; empty where the client names nobody.
inline std::string FoldedServerName(const SSL* ssl) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  std::string folded(name == nullptr ? "" : name);
  const auto fold = [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); };
  std::transform(folded.begin(), folded.end(), folded.begin(), fold);
  return folded;
}

}  // namespace aws_lc
