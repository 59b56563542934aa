// What libssl, libcrypto and the operating system report. The words and codes that users see are chosen in TypeScript;
// here only the facts are collected.
#pragma once

#include <cstdint>
#include <string>

#include "aws_lc.h"

namespace aws_lc {

// A TLS alert as it crossed the wire (RFC 8446, section 6).
struct Alert {
  enum class Direction : uint8_t { kNone, kSent, kReceived };
  Direction direction = Direction::kNone;
  uint8_t level = 0;
  uint8_t description = 0;
};

// What went wrong in one operation of the engine.
struct TlsError {
  enum class Kind : uint8_t { kNone, kSystem, kProtocol, kVerification, kEof };

  Kind kind = Kind::kNone;
  int system_errno = 0;            // kSystem
  const char* syscall = nullptr;   // kSystem
  std::string reason;              // kProtocol: AWS-LC's reason, e.g. WRONG_VERSION_NUMBER
  std::string library;             // kProtocol: e.g. "SSL routines"
  long verify_result = X509_V_OK;  // kVerification
  Alert alert;

  static TlsError System(const char* syscall, int error);
  static TlsError Eof();
  // From this thread's error queue, which is cleared: the first entry of libssl's, which is the one that users know,
  // else the first of all.
  static TlsError FromErrorQueue();
};

}  // namespace aws_lc
