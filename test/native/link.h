// A client engine and a server engine on the two ends of a wire.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "wire.h"

namespace aws_lc {

struct Suite {
  uint16_t version;
  const char* name;  // OpenSSL's
};

// The suites that the kernel takes, AES-128-GCM first of each version.
inline constexpr Suite kTls13Suites[] = {{TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
                                         {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
                                         {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"}};
inline constexpr Suite kTls12Suites[] = {{TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
                                         {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
                                         {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"}};
inline constexpr Suite kTls13 = kTls13Suites[0];
inline constexpr Suite kTls12 = kTls12Suites[0];

// Both versions, all suites.
std::vector<Suite> EligibleSuites();

class Link {
 public:
  // Both ends must outlive the link.
  Link(const Suite& suite, WireEnd* client_end, WireEnd* server_end);

  // Goes on until both sides are open, flushing as a connection does; fails the test if they are not in the end.
  void Handshake();

  Engine& client() { return *client_; }
  Engine& server() { return *server_; }
  ScratchBuffers* scratch() { return &scratch_; }
  Engine& engine(bool server) { return server ? *server_ : *client_; }

 private:
  bssl::UniquePtr<SSL_CTX> client_ctx_;
  bssl::UniquePtr<SSL_CTX> server_ctx_;
  // Shared, as it is between the connections of a thread.
  ScratchBuffers scratch_;
  std::unique_ptr<Engine> client_;
  std::unique_ptr<Engine> server_;
};

inline constexpr KtlsRequest kTxOnly = {true, false, 0};
inline constexpr KtlsRequest kRxOnly = {false, true, 0};
inline constexpr KtlsRequest kBoth = {true, true, 0};

// One step of a handshake.
void Advance(Engine* engine);
// Seals all of it and flushes once.
Engine::FlushStatus Write(Engine* engine, const std::string& text);
// SealCloseNotify() and Flush().
Engine::FlushStatus End(Engine* engine);

// Reads until there is nothing more, as a connection that is told of input once: a Read() that ends with data is
// followed by another only if HasBufferedInput() asks for it.
struct Reading {
  std::string data;
  Engine::ReadStatus status = Engine::ReadStatus::kWantRead;
};
Reading ReadOnEvent(Engine* engine, size_t capacity = 64 * 1024);
// The same until the end of what is there.
Reading ReadAll(Engine* engine, size_t capacity = 64 * 1024);

// As in "'abc', then close_notify" or "error BAD_ALERT, sent 50".
std::string Describe(const Reading& reading, const Engine& engine);
std::string DescribeError(const Engine& engine);

// Data goes over in both directions.
void CheckWorks(Link* link, const char* file, int line);
#define CHECK_WORKS(link) CheckWorks(&(link), __FILE__, __LINE__)

}  // namespace aws_lc
