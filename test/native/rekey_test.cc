// KeyUpdate (RFC 8446, section 4.6.3) with a kernel that can change keys.
#include <cerrno>

#include "link.h"
#include "scripted_kernel.h"
#include "sealing_kernel.h"
#include "subject.h"
#include "tap.h"

namespace aws_lc {
namespace {

KtlsRequest Rekeying(bool tx, bool rx) {
  KtlsRequest request;
  request.tx = tx;
  request.rx = rx;
  request.can_rekey = true;
  return request;
}

TEST("a peer's KeyUpdate is honoured, again and again, whether or not it asks for ours: every suite and direction") {
  for (const Suite& suite : kTls13Suites) {
    for (const bool server : {false, true}) {
      for (const KtlsRequest& request : {Rekeying(true, false), Rekeying(false, true), Rekeying(true, true)}) {
        for (const int asks : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
          tap::Case row(std::string(suite.name) + (server ? " server" : " client") + (request.tx ? " tx" : "") +
                        (request.rx ? " rx" : "") + (asks ? " asks" : ""));
          Subject subject(suite, server, request);
          for (int i = 0; i < 3; i++) {
            REQUIRE(SSL_key_update(subject.peer.ssl(), asks));
            Write(&subject.peer, "under new keys");
            CHECK_EQ(Describe(ReadAll(&subject.engine), subject.engine), "'under new keys', then waiting");
            CHECK(subject.engine.Flush() == Engine::FlushStatus::kDone);
            CHECK_WORKS(subject.link);
          }
        }
      }
    }
  }
}

TEST("our own KeyUpdate changes our keys and the peer's: every suite and direction") {
  for (const Suite& suite : kTls13Suites) {
    for (const bool server : {false, true}) {
      for (const KtlsRequest& request :
           {KtlsRequest{}, Rekeying(true, false), Rekeying(false, true), Rekeying(true, true)}) {
        tap::Case row(std::string(suite.name) + (server ? " server" : " client") + (request.tx ? " tx" : "") +
                      (request.rx ? " rx" : ""));
        Subject subject(suite, server, request);
        for (int i = 0; i < 3; i++) {
          CHECK(subject.engine.UpdateKeys());
          CHECK(Write(&subject.engine, "under new keys") == Engine::FlushStatus::kDone);
          CHECK_EQ(Describe(ReadAll(&subject.peer), subject.peer), "'under new keys', then waiting");
          CHECK_WORKS(subject.link);
        }
      }
    }
  }
}

TEST("two kernels change keys at the same time") {
  SealingKernel client;
  SealingKernel server;
  client.can_rekey = server.can_rekey = true;
  Link link(kTls13, &client, &server);
  link.client().RequestKernelTls(Rekeying(true, true));
  link.server().RequestKernelTls(Rekeying(true, true));
  link.Handshake();
  for (int i = 0; i < 3; i++) {
    CHECK(link.client().UpdateKeys());
    CHECK(link.server().UpdateKeys());
    CHECK(Write(&link.client(), "from the client") == Engine::FlushStatus::kDone);
    CHECK(Write(&link.server(), "from the server") == Engine::FlushStatus::kDone);
    CHECK_EQ(Describe(ReadAll(&link.client()), link.client()), "'from the server', then waiting");
    CHECK_EQ(Describe(ReadAll(&link.server()), link.server()), "'from the client', then waiting");
    CHECK_WORKS(link);
    CHECK_WORKS(link);
  }
}

TEST("keys are changed by themselves after so many records") {
  for (const bool tx : {false, true}) {
    tap::Case row(tx ? "kernel" : "userspace");
    KtlsRequest request = Rekeying(tx, false);
    request.records_per_key = 10;
    Subject subject(kTls13, true, request);
    for (int i = 0; i < 10; i++) CHECK_WORKS(subject.link);
    // The first install and, every fourth time round (40 KiB are three records), another.
    if (tx) CHECK(subject.kernel.calls.size() > std::string("attach, tx, tx").size());
  }
}

// --- a full socket, and refusals ------------------------------------------------------------------------------------

struct Scripted {
  Scripted() : link(kTls13, &peer_end, &kernel), engine(link.server()) {
    engine.RequestKernelTls(Rekeying(true, true));
    link.Handshake();
    REQUIRE(engine.tx() == RecordLayer::kKernel && engine.rx() == RecordLayer::kKernel);
  }

  ScriptedKernel kernel;
  WireEnd peer_end;
  Link link;
  Engine& engine;
};

TEST("a KeyUpdate goes behind the data that waits and before close_notify, and the keys change right behind it") {
  Scripted scripted;
  scripted.kernel.send_answers = {1, -EAGAIN, -EAGAIN};
  scripted.kernel.send_record_answers = {-EAGAIN};
  CHECK(Write(&scripted.engine, "abc") == Engine::FlushStatus::kBlocked);
  CHECK(scripted.engine.UpdateKeys());
  CHECK(scripted.engine.Flush() == Engine::FlushStatus::kBlocked);
  CHECK_EQ(scripted.kernel.Calls(), "attach, rx, tx");
  CHECK(scripted.engine.HasUnsent());
  CHECK(End(&scripted.engine) == Engine::FlushStatus::kDone);
  CHECK_EQ(scripted.kernel.Sent(), "data 3, type 22 1800000101, alert 0100");
  CHECK_EQ(scripted.kernel.Calls(), "attach, rx, tx, tx");
}

TEST("data that is written while a KeyUpdate waits is not lost") {
  Scripted scripted;
  scripted.kernel.send_record_answers = {-EAGAIN};
  CHECK(scripted.engine.UpdateKeys());
  CHECK(scripted.engine.Flush() == Engine::FlushStatus::kBlocked);
  CHECK(Write(&scripted.engine, "abc") == Engine::FlushStatus::kDone);
  CHECK(Write(&scripted.engine, "de") == Engine::FlushStatus::kDone);
  CHECK_EQ(scripted.kernel.Sent(), "data 3, type 22 1800000101, data 2");
}

TEST("any number of requests is answered once while the answer waits") {
  Scripted scripted;
  scripted.kernel.send_record_answers = {-EAGAIN};
  for (int i = 0; i < 3; i++) scripted.kernel.Arrive(SSL3_RT_HANDSHAKE, {24, 0, 0, 1, 1});
  CHECK_EQ(Describe(ReadAll(&scripted.engine), scripted.engine), "waiting");
  CHECK(scripted.engine.Flush() == Engine::FlushStatus::kBlocked);
  CHECK(scripted.engine.Flush() == Engine::FlushStatus::kDone);
  CHECK_EQ(scripted.kernel.Sent(), "type 22 1800000100");
  CHECK_EQ(scripted.kernel.Calls(), "attach, rx, tx, rx, rx, rx, tx");
}

TEST("a kernel that refuses new sending keys ends the connection: what follows could not be read") {
  Scripted scripted;
  CHECK(scripted.engine.UpdateKeys());
  scripted.kernel.tx_refusal_of_rekey = -EBUSY;
  CHECK(scripted.engine.Flush() == Engine::FlushStatus::kError);
  CHECK(scripted.engine.state() == Engine::State::kFailed);
  CHECK_EQ(scripted.engine.error().system_errno, EBUSY);
  CHECK_EQ(scripted.kernel.Sent(), "type 22 1800000101");
}

TEST("a kernel that refuses new receiving keys ends the connection with an alert") {
  Scripted scripted;
  scripted.kernel.rx_refusal_of_rekey = -EBUSY;
  scripted.kernel.Arrive(SSL3_RT_HANDSHAKE, {24, 0, 0, 1, 0});
  CHECK_EQ(Describe(ReadAll(&scripted.engine), scripted.engine), "error KTLS_KEY_UPDATE, sent 80");
  CHECK_EQ(scripted.kernel.Sent(), "alert 0250");
}

TEST("without a kernel that can, our own KeyUpdate is refused and the connection goes on") {
  ScriptedKernel kernel;
  WireEnd peer_end;
  Link link(kTls13, &peer_end, &kernel);
  link.server().RequestKernelTls(kBoth);
  link.Handshake();
  CHECK(!link.server().UpdateKeys());
  ERR_clear_error();
  CHECK(link.server().state() == Engine::State::kOpen);
  CHECK(Write(&link.server(), "still") == Engine::FlushStatus::kDone);
  CHECK_EQ(kernel.Sent(), "data 5");
}

// --- bad ones -------------------------------------------------------------------------------------------------------

TEST("a KeyUpdate that is none is refused") {
  struct Row {
    std::string body;
    const char* outcome;
  };
  const Row rows[] = {
      {std::string("\x18\0\0\0", 4), "error DECODE_ERROR, sent 47"},
      {std::string("\x18\0\0\1\2", 5), "error DECODE_ERROR, sent 47"},
      {std::string("\x18\0\0\2\0\0", 6), "error DECODE_ERROR, sent 47"},
      {std::string("\x18\0\0\1\0\x18", 6), "error EXCESS_HANDSHAKE_DATA, sent 10"},
      {std::string("\x18\0\0\1\0\x18\0\0\1\0", 10), "error EXCESS_HANDSHAKE_DATA, sent 10"},
  };
  for (const Row& row : rows) {
    Scripted scripted;
    scripted.kernel.Arrive(SSL3_RT_HANDSHAKE, row.body);
    CHECK_EQ(Describe(ReadAll(&scripted.engine), scripted.engine), row.outcome);
    CHECK_EQ(scripted.kernel.Calls(), "attach, rx, tx");
  }
}

void ChangeKeys(Engine* engine) {
  REQUIRE(engine->UpdateKeys());
  REQUIRE(engine->Flush() == Engine::FlushStatus::kDone);
}

TEST("a storm of KeyUpdates that libssl reads is refused, KeyUpdates with data between them are not") {
  for (const KtlsRequest& request : {KtlsRequest{}, Rekeying(true, false)}) {
    tap::Case row(request.tx ? "the kernel sends" : "userspace");
    Subject busy(kTls13, true, request);
    for (int i = 0; i < 200; i++) {
      REQUIRE(SSL_key_update(busy.peer.ssl(), i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED));
      Write(&busy.peer, "x");
      CHECK_EQ(Describe(ReadAll(&busy.engine), busy.engine), "'x', then waiting");
    }
    CHECK_WORKS(busy.link);

    Subject storm(kTls13, true, request);
    for (int i = 0; i < 200; i++) ChangeKeys(&storm.peer);
    CHECK_EQ(Describe(ReadAll(&storm.engine), storm.engine), "error TOO_MANY_KEY_UPDATES, sent 10");
  }
}

TEST("what came before a storm of KeyUpdates is delivered") {
  Subject storm(kTls13, true, KtlsRequest{});
  Write(&storm.peer, "before it");
  for (int i = 0; i < 200; i++) ChangeKeys(&storm.peer);
  CHECK_EQ(Describe(ReadAll(&storm.engine), storm.engine), "'before it', then error TOO_MANY_KEY_UPDATES, sent 10");
}

TEST("KeyUpdates that take their time are no storm") {
  KeyUpdateLimit limit;
  KeyUpdateLimit::Clock::time_point now = KeyUpdateLimit::Clock::now();
  for (int i = 0; i < 1000; i++) {
    now += std::chrono::seconds(1);
    CHECK(limit.Admit(now));
  }
  for (unsigned i = 0; i < 2 * KeyUpdateLimit::kMost; i++) limit.Admit(now);
  CHECK(!limit.Admit(now));
  CHECK(limit.Admit(now + KeyUpdateLimit::kWithin));
}

TEST("a storm of KeyUpdates that the kernel delivers is refused, KeyUpdates with data between them are not") {
  Scripted storm;
  for (int i = 0; i < 200; i++) storm.kernel.Arrive(SSL3_RT_HANDSHAKE, {24, 0, 0, 1, 0});
  CHECK_EQ(Describe(ReadAll(&storm.engine), storm.engine), "error TOO_MANY_KEY_UPDATES, sent 10");

  Scripted busy;
  for (int i = 0; i < 200; i++) {
    busy.kernel.Arrive(SSL3_RT_HANDSHAKE, {24, 0, 0, 1, 0});
    busy.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "x");
  }
  CHECK_EQ(ReadAll(&busy.engine).data.size(), 200);
}

}  // namespace
}  // namespace aws_lc
