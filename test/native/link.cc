#include "link.h"

#include <openssl/ec.h>
#include <openssl/nid.h>

#include <cstring>

#include "tap.h"

namespace aws_lc {
namespace {

bssl::UniquePtr<SSL_CTX> NewContext(const Suite& suite) {
  bssl::UniquePtr<SSL_CTX> ctx(SSL_CTX_new(TLS_method()));
  REQUIRE(SSL_CTX_set_min_proto_version(ctx.get(), suite.version));
  REQUIRE(SSL_CTX_set_max_proto_version(ctx.get(), suite.version));
  if (suite.version == TLS1_3_VERSION) {
    REQUIRE(SSL_CTX_set_ciphersuites(ctx.get(), suite.name));
  } else {
    REQUIRE(SSL_CTX_set_strict_cipher_list(ctx.get(), suite.name));
  }
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  Engine::InstallCallbacks(ctx.get());
  return ctx;
}

// Nobody verifies it here.
void UseSelfSigned(SSL_CTX* ctx) {
  static const bssl::UniquePtr<EVP_PKEY> key = [] {
    bssl::UniquePtr<EC_KEY> curve(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
    REQUIRE(EC_KEY_generate_key(curve.get()));
    bssl::UniquePtr<EVP_PKEY> made(EVP_PKEY_new());
    REQUIRE(EVP_PKEY_set1_EC_KEY(made.get(), curve.get()));
    return made;
  }();
  static const bssl::UniquePtr<X509> certificate = [] {
    bssl::UniquePtr<X509> made(X509_new());
    REQUIRE(X509_set_version(made.get(), X509_VERSION_3));
    REQUIRE(X509_gmtime_adj(X509_getm_notBefore(made.get()), 0) != nullptr);
    REQUIRE(X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600) != nullptr);
    REQUIRE(X509_set_pubkey(made.get(), key.get()));
    REQUIRE(X509_sign(made.get(), key.get(), EVP_sha256()));
    return made;
  }();
  REQUIRE(SSL_CTX_use_certificate(ctx, certificate.get()));
  REQUIRE(SSL_CTX_use_PrivateKey(ctx, key.get()));
}

}  // namespace

std::vector<Suite> EligibleSuites() {
  std::vector<Suite> all(std::begin(kTls13Suites), std::end(kTls13Suites));
  all.insert(all.end(), std::begin(kTls12Suites), std::end(kTls12Suites));
  return all;
}

Link::Link(const Suite& suite, WireEnd* client_end, WireEnd* server_end)
    : client_ctx_(NewContext(suite)), server_ctx_(NewContext(suite)) {
  UseSelfSigned(server_ctx_.get());
  SSL_CTX_set_session_cache_mode(client_ctx_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_session_cache_mode(server_ctx_.get(), SSL_SESS_CACHE_OFF);
  EngineConfig config;
  config.ctx = client_ctx_.get();
  client_ = std::make_unique<Engine>(config, &scratch_);
  config.ctx = server_ctx_.get();
  config.is_server = true;
  server_ = std::make_unique<Engine>(config, &scratch_);
  client_->set_keeps_sessions(true);
  client_end->ConnectTo(server_end);
  client_->set_transport(client_end);
  server_->set_transport(server_end);
}

void Link::Handshake() {
  for (int i = 0; i < 10; i++) {
    Advance(client_.get());
    Advance(server_.get());
  }
  REQUIRE(client_->state() == Engine::State::kOpen);
  REQUIRE(server_->state() == Engine::State::kOpen);
}

void Advance(Engine* engine) {
  engine->Handshake();
  engine->Flush();
}

Engine::FlushStatus Write(Engine* engine, const std::string& text) {
  const auto* data = reinterpret_cast<const uint8_t*>(text.data());
  for (size_t done = 0; done < text.size();) {
    const size_t sealed = engine->Seal(data + done, text.size() - done);
    if (sealed == 0) return Engine::FlushStatus::kError;
    done += sealed;
  }
  return engine->Flush();
}

Engine::FlushStatus End(Engine* engine) {
  engine->SealCloseNotify();
  return engine->Flush();
}

namespace {

Reading Read(Engine* engine, size_t capacity, bool on_event) {
  Reading reading;
  std::vector<uint8_t> buffer(capacity);
  for (;;) {
    const Engine::ReadResult result = engine->Read(buffer.data(), buffer.size());
    if (engine->collected() > 0) engine->Flush();
    reading.status = result.status;
    if (result.status != Engine::ReadStatus::kData) return reading;
    reading.data.append(reinterpret_cast<const char*>(buffer.data()), result.length);
    if (on_event && !engine->HasBufferedInput()) return reading;
  }
}

}  // namespace

Reading ReadOnEvent(Engine* engine, size_t capacity) { return Read(engine, capacity, true); }
Reading ReadAll(Engine* engine, size_t capacity) { return Read(engine, capacity, false); }

std::string DescribeError(const Engine& engine) {
  const TlsError& error = engine.error();
  std::string text;
  switch (error.kind) {
    case TlsError::Kind::kNone:
      text = "none";
      break;
    case TlsError::Kind::kSystem:
      text = std::string(error.syscall) + " " + std::strerror(error.system_errno);
      break;
    case TlsError::Kind::kProtocol:
      text = error.reason;
      break;
    case TlsError::Kind::kVerification:
      text = "verification";
      break;
    case TlsError::Kind::kEof:
      text = "eof";
      break;
  }
  if (error.alert.direction == Alert::Direction::kSent) text += ", sent " + std::to_string(error.alert.description);
  if (error.alert.direction == Alert::Direction::kReceived) {
    text += ", received " + std::to_string(error.alert.description);
  }
  return text;
}

std::string Describe(const Reading& reading, const Engine& engine) {
  const std::string data = reading.data.empty() ? "" : "'" + reading.data + "', then ";
  switch (reading.status) {
    case Engine::ReadStatus::kData:
      return data + "more to come";
    case Engine::ReadStatus::kWantRead:
      return data + "waiting";
    case Engine::ReadStatus::kCloseNotify:
      return data + "close_notify";
    case Engine::ReadStatus::kEof:
      return data + "eof";
    case Engine::ReadStatus::kError:
      return data + "error " + DescribeError(engine);
  }
  return data;
}

void CheckWorks(Link* link, const char* file, int line) {
  for (const bool from_server : {false, true}) {
    const std::string text(40 * 1024, from_server ? 's' : 'c');
    Write(&link->engine(from_server), text);
    Engine& receiver = link->engine(!from_server);
    const Reading reading = ReadAll(&receiver);
    if (reading.data != text || reading.status != Engine::ReadStatus::kWantRead) {
      tap::Fail(file, line, std::string("data does not arrive at the ") + (from_server ? "client: " : "server: ") +
                                std::to_string(reading.data.size()) + " bytes, " + DescribeError(receiver));
    }
  }
}

}  // namespace aws_lc
