#include "tls_error.h"

namespace aws_lc {
namespace {

std::string OrEmpty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

}  // namespace

TlsError TlsError::System(const char* syscall, int error) {
  TlsError result;
  result.kind = Kind::kSystem;
  result.syscall = syscall;
  result.system_errno = error;
  return result;
}

TlsError TlsError::Eof() {
  TlsError result;
  result.kind = Kind::kEof;
  return result;
}

TlsError TlsError::FromErrorQueue() {
  TlsError result;
  result.kind = Kind::kProtocol;
  uint32_t packed = ERR_get_error();
  for (uint32_t next = packed; next != 0 && ERR_GET_LIB(packed) != ERR_LIB_SSL; next = ERR_get_error()) {
    if (ERR_GET_LIB(next) == ERR_LIB_SSL) packed = next;
  }
  if (packed != 0) {
    result.reason = OrEmpty(ERR_reason_error_string(packed));
    result.library = OrEmpty(ERR_lib_error_string(packed));
  }
  ERR_clear_error();
  return result;
}

}  // namespace aws_lc
