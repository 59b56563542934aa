// What a handshake can wait for. libssl stops in a callback, the owner of the connection is asked, and the handshake goes
// on with the answer: at once or seconds later, the engine does not care.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aws_lc {

// The numbers are those of lib/index.d.ts.
enum class QuestionKind : uint8_t {
  kNone = 0,
  kPeerIdentity = 1,  // detail: the chain's X509_V_* result. Is this the peer that was meant?
  // name: SNI, data: the ALPN protocols offered, each if there and asked for. Which configuration is this client's, and
  // (bytes) which protocol?
  kClientHello = 2,
  kOcspResponse = 3,  // bytes: the OCSP response to staple
  kSignature = 4,     // detail: the algorithm (RFC 8446, section 4.2.3), data: what to sign; bytes: the signature
  kFindSession = 5,   // data: the id of the session that a client would resume; bytes: the session, if it is known
  kStoreSession = 6,  // data: an id, `detail` bytes, and behind it the session that it is to be found by
  kChain = 7,         // verdict: that of VerifyChain() on Engine::peer_chain(). Not for JavaScript
  kOwnSignature = 8,  // as kSignature, with the key of Engine::identity(). Not for JavaScript
};

struct Question {
  QuestionKind kind = QuestionKind::kNone;
  uint32_t detail = 0;
  std::string name;
  std::vector<uint8_t> data;
};

struct Answer {
  // Refuses the peer with this alert.
  std::optional<uint8_t> alert;
  std::vector<uint8_t> bytes;
  // A chain's X509_V_* result; nothing passes for good that nobody has judged.
  std::optional<long> verdict;
};

}  // namespace aws_lc
