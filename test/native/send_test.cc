// What we send once TX is the kernel's: plaintext, close_notify, alerts.
#include <cerrno>

#include "link.h"
#include "scripted_kernel.h"
#include "sealing_kernel.h"
#include "tap.h"

namespace aws_lc {
namespace {

// An engine whose TX (and RX, unless told otherwise) is with a kernel that takes what it is given.
struct Sender {
  explicit Sender(const Suite& suite = kTls13, const KtlsRequest& request = kBoth)
      : link(suite, &peer_end, &kernel), engine(link.server()), peer(link.client()) {
    engine.RequestKernelTls(request);
    link.Handshake();
    REQUIRE(engine.tx() == RecordLayer::kKernel);
    ReadAll(&peer);
    REQUIRE(peer_end.inbound.empty());
  }

  ScriptedKernel kernel;
  WireEnd peer_end;
  Link link;
  Engine& engine;
  Engine& peer;
};

std::string Text(size_t length) {
  std::string text(length, ' ');
  for (size_t i = 0; i < length; i++) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

std::string DataOf(const ScriptedKernel& kernel) {
  std::string data;
  for (const Record& record : kernel.sent) {
    if (record.type == SSL3_RT_APPLICATION_DATA) data += record.body;
  }
  return data;
}

// --- data -----------------------------------------------------------------------------------------------------------

TEST("plaintext goes to the kernel as it is, all at once, and is counted") {
  Sender sender;
  const uint64_t before = sender.engine.bytes_sent();
  const std::string text = Text(100'000);
  CHECK(sender.engine.Seal(reinterpret_cast<const uint8_t*>(text.data()), text.size()) == text.size());
  CHECK_EQ(sender.kernel.Sent(), "data 100000");
  CHECK(DataOf(sender.kernel) == text);
  CHECK_EQ(sender.engine.bytes_sent() - before, text.size());
  CHECK(!sender.engine.HasUnsent());
  CHECK(sender.peer_end.inbound.empty());
}

TEST("short sends and full sockets keep the order and lose nothing, wherever they happen") {
  const std::string text = Text(70'000);
  for (const int first : {-EAGAIN, 1, 16383, 16385, 69'999}) {
    for (const int second : {-EAGAIN, 1, 16384, 50'000}) {
      tap::Case row(std::to_string(first) + ", " + std::to_string(second));
      Sender sender;
      const uint64_t before = sender.engine.bytes_sent();
      for (int i = 0; i < 4; i++) {
        sender.kernel.send_answers.insert(sender.kernel.send_answers.end(), {first, -EAGAIN, second, -EAGAIN});
      }
      // Goes on as a connection does: what is queued is flushed before the next part is sealed.
      size_t done = 0;
      for (int i = 0; i < 200 && (done < text.size() || sender.engine.HasUnsent()); i++) {
        if (!sender.engine.HasUnsent() && done < text.size()) {
          done += sender.engine.Seal(reinterpret_cast<const uint8_t*>(text.data()) + done, text.size() - done);
        }
        CHECK(sender.engine.Flush() != Engine::FlushStatus::kError);
      }
      CHECK(DataOf(sender.kernel) == text);
      CHECK_EQ(sender.engine.bytes_sent() - before, text.size());
    }
  }
}

TEST("writes behind a full socket queue up in their order") {
  Sender sender;
  sender.kernel.send_answers = {3, -EAGAIN, 2, -EAGAIN, -EAGAIN};
  CHECK(Write(&sender.engine, "abcdefgh") == Engine::FlushStatus::kBlocked);
  CHECK(Write(&sender.engine, "ijkl") == Engine::FlushStatus::kBlocked);
  CHECK(Write(&sender.engine, "mnop") == Engine::FlushStatus::kDone);
  CHECK_EQ(DataOf(sender.kernel), "abcdefghijklmnop");
}

TEST("a send that fails is the connection's error, at once or from the queue") {
  for (const int error : {EPIPE, ECONNRESET, ENOTCONN}) {
    Sender at_once;
    at_once.kernel.send_answers = {-error};
    CHECK(Write(&at_once.engine, "x") == Engine::FlushStatus::kError);
    CHECK(at_once.engine.state() == Engine::State::kFailed);
    CHECK_EQ(at_once.engine.error().system_errno, error);
    CHECK_EQ(at_once.engine.error().syscall, "write");

    Sender queued;
    queued.kernel.send_answers = {-EAGAIN, -EAGAIN, -error};
    CHECK(Write(&queued.engine, "x") == Engine::FlushStatus::kBlocked);
    CHECK(queued.engine.Flush() == Engine::FlushStatus::kError);
    CHECK_EQ(queued.engine.error().system_errno, error);
  }
}

// --- close_notify ---------------------------------------------------------------------------------------------------

TEST("close_notify goes through the kernel, once") {
  for (const Suite& suite : {kTls13, kTls12}) {
    Sender sender(suite);
    CHECK(!sender.engine.close_notify_sent());
    CHECK(sender.engine.SealCloseNotify());
    CHECK(sender.engine.HasUnsent());
    CHECK(!sender.engine.SealCloseNotify());
    CHECK(sender.engine.Flush() == Engine::FlushStatus::kDone);
    CHECK_EQ(sender.kernel.Sent(), "alert 0100");
    CHECK(sender.engine.close_notify_sent());
    CHECK(!sender.engine.HasUnsent());
    CHECK(!sender.engine.SealCloseNotify());
    CHECK(sender.engine.Flush() == Engine::FlushStatus::kDone);
    CHECK_EQ(sender.kernel.Sent(), "alert 0100");
    CHECK(sender.peer_end.inbound.empty());
  }
}

TEST("close_notify comes behind the data that waits") {
  Sender sender;
  sender.kernel.send_answers = {2, -EAGAIN, 1, -EAGAIN, -EAGAIN, 2};
  CHECK(Write(&sender.engine, "abcdef") == Engine::FlushStatus::kBlocked);
  CHECK(End(&sender.engine) == Engine::FlushStatus::kBlocked);
  CHECK(sender.engine.Flush() == Engine::FlushStatus::kDone);
  CHECK_EQ(sender.kernel.Sent(), "data 6, alert 0100");
  CHECK_EQ(DataOf(sender.kernel), "abcdef");
}

TEST("close_notify waits until the socket has room for what is sealed, and nothing is sent meanwhile") {
  Sender sender;
  sender.kernel.room_to_end = false;
  CHECK(Write(&sender.engine, "abc") == Engine::FlushStatus::kDone);
  CHECK(End(&sender.engine) == Engine::FlushStatus::kBlocked);
  CHECK(sender.engine.HasUnsent());
  CHECK(sender.engine.close_notify_sent());
  CHECK(sender.engine.Flush() == Engine::FlushStatus::kBlocked);
  CHECK_EQ(sender.kernel.Sent(), "data 3");
  sender.kernel.room_to_end = true;
  CHECK(sender.engine.Flush() == Engine::FlushStatus::kDone);
  CHECK_EQ(sender.kernel.Sent(), "data 3, alert 0100");
  CHECK(!sender.engine.HasUnsent());
}

TEST("close_notify that finds the socket full is sent later") {
  Sender sender;
  sender.kernel.send_record_answers = {-EAGAIN, -EAGAIN};
  CHECK(End(&sender.engine) == Engine::FlushStatus::kBlocked);
  CHECK(sender.engine.Flush() == Engine::FlushStatus::kBlocked);
  CHECK(sender.engine.Flush() == Engine::FlushStatus::kDone);
  CHECK_EQ(sender.kernel.Sent(), "alert 0100");
}

TEST("close_notify to a peer that has gone is no error, and what the peer had sent is still read") {
  Sender sender;
  sender.kernel.send_record_answers = {-EPIPE};
  sender.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "last words");
  sender.kernel.ArriveEof();
  CHECK(End(&sender.engine) == Engine::FlushStatus::kDone);
  CHECK(!sender.engine.HasUnsent());
  CHECK_EQ(Describe(ReadAll(&sender.engine), sender.engine), "'last words', then eof");

  WireEnd client;
  WireEnd server;
  Link link(kTls13, &client, &server);
  link.Handshake();
  Write(&link.client(), "last words");
  server.inbound_ended = true;
  server.send_error = -EPIPE;
  CHECK(End(&link.server()) == Engine::FlushStatus::kDone);
  CHECK(!link.server().HasUnsent());
  CHECK_EQ(Describe(ReadAll(&link.server()), link.server()), "'last words', then eof");
}

TEST("reading goes on after our close_notify") {
  Sender sender;
  End(&sender.engine);
  sender.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "still here");
  sender.kernel.Arrive(SSL3_RT_ALERT, {1, 0});
  CHECK_EQ(Describe(ReadAll(&sender.engine), sender.engine), "'still here', then close_notify");
}

TEST("a peer's close_notify is not answered by itself") {
  for (const KtlsRequest& request : {kTxOnly, kBoth}) {
    Sender sender(kTls13, request);
    if (request.rx) {
      sender.kernel.Arrive(SSL3_RT_ALERT, {1, 0});
    } else {
      End(&sender.peer);
    }
    CHECK_EQ(Describe(ReadAll(&sender.engine), sender.engine), "close_notify");
    sender.engine.Flush();
    CHECK_EQ(sender.kernel.Sent(), "");
    CHECK(sender.peer_end.inbound.empty());
    CHECK(Write(&sender.engine, "bye") == Engine::FlushStatus::kDone);
    CHECK(End(&sender.engine) == Engine::FlushStatus::kDone);
    CHECK_EQ(sender.kernel.Sent(), "data 3, alert 0100");
  }
}

// --- alerts ---------------------------------------------------------------------------------------------------------

// RX is libssl's and TX is not: what libssl seals would be sealed with a sequence number that the kernel has used.
TEST("libssl's alerts go through the kernel, and nothing that libssl sealed reaches the wire") {
  struct Offence {
    const char* what;
    Suite suite;
    std::vector<uint8_t> bytes;
    std::string alert;
  };
  const Offence offences[] = {
      {"garbage", kTls13, {'G', 'E', 'T', ' ', '/', ' '}, "alert 0246"},
      {"garbage in TLS 1.2", kTls12, {'G', 'E', 'T', ' ', '/', ' '}, "alert 0246"},
      {"bad record", kTls13, std::vector<uint8_t>(5 + 17, 0), "alert 0214"},
      {"bad record in TLS 1.2", kTls12, std::vector<uint8_t>(5 + 24, 0), "alert 0214"},
      {"overlong record", kTls13, {23, 3, 3, 0x48, 0}, "alert 0216"},
  };
  for (const Offence& offence : offences) {
    tap::Case row(offence.what);
    Sender sender(offence.suite, kTxOnly);
    std::vector<uint8_t> bytes = offence.bytes;
    if (bytes[0] == 0) {
      const auto payload = static_cast<uint8_t>(bytes.size() - 5);
      std::copy_n(std::vector<uint8_t>{23, 3, 3, 0, payload}.begin(), 5, bytes.begin());
    }
    sender.kernel.inbound = bytes;
    const Reading reading = ReadAll(&sender.engine);
    CHECK(reading.status == Engine::ReadStatus::kError);
    CHECK(sender.engine.error().alert.direction == Alert::Direction::kSent);
    sender.engine.Flush();
    CHECK_EQ(sender.kernel.Sent(), offence.alert);
    CHECK(sender.peer_end.inbound.empty());
  }
}

TEST("a renegotiation that libssl refuses in TLS 1.2 is refused through the kernel") {
  SealingKernel client;
  ScriptedKernel server;
  Link link(kTls12, &client, &server);
  link.client().RequestKernelTls(kTxOnly);
  link.server().RequestKernelTls(kTxOnly);
  link.Handshake();
  client.Inject(SSL3_RT_HANDSHAKE, std::string("\x01\x00\x00\x00", 4));
  CHECK_EQ(Describe(ReadAll(&link.server()), link.server()), "error NO_RENEGOTIATION, sent 100");
  CHECK_EQ(server.Sent(), "alert 0264");
}

TEST("a peer that is not wanted is told by one alert, whoever seals it, and nothing follows") {
  for (const Suite& suite : {kTls13, kTls12}) {
    for (const KtlsRequest& request : {kBoth, kRxOnly}) {
      SealingKernel kernel;
      WireEnd peer_end;
      Link link(suite, &peer_end, &kernel);
      link.server().RequestKernelTls(request);
      link.Handshake();
      ReadAll(&link.client());
      link.server().RefusePeer(SSL_AD_INTERNAL_ERROR);
      link.server().Flush();
      CHECK_EQ(Describe(ReadAll(&link.client()), link.client()), "error TLSV1_ALERT_INTERNAL_ERROR, received 80");
      CHECK(!link.server().SealCloseNotify());
      link.server().RefusePeer(SSL_AD_INTERNAL_ERROR);
      link.server().Flush();
      CHECK(peer_end.inbound.empty());
    }
  }
}

TEST("an alert is not sent into the middle of data that waits") {
  Sender sender;
  sender.kernel.send_answers = {2, -EAGAIN, -EAGAIN};
  CHECK(Write(&sender.engine, "abcdef") == Engine::FlushStatus::kBlocked);
  sender.kernel.ArriveError(EBADMSG);
  CHECK(ReadAll(&sender.engine).status == Engine::ReadStatus::kError);
  CHECK_EQ(sender.kernel.Sent(), "data 2");
}

TEST("an alert that the kernel does not take changes nothing of the error") {
  for (const int error : {EAGAIN, EPIPE}) {
    Sender sender;
    sender.kernel.send_record_answers = {-error};
    sender.kernel.ArriveError(EBADMSG);
    CHECK_EQ(Describe(ReadAll(&sender.engine), sender.engine), "error DECRYPTION_FAILED_OR_BAD_RECORD_MAC, sent 20");
    CHECK_EQ(sender.kernel.Sent(), "");
  }
}

}  // namespace
}  // namespace aws_lc
