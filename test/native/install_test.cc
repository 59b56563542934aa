// When the kernel takes over: in which order, what happens when it refuses, and what has to wait for what.
#include <cerrno>
#include <cstring>
#include <utility>

#include "link.h"
#include "scripted_kernel.h"
#include "sealing_kernel.h"
#include "tap.h"

namespace aws_lc {
namespace {

constexpr int kErrors[] = {ENOENT, EBUSY, EEXIST, ENOTCONN, EINVAL, EPROTONOSUPPORT};

std::string Row(const Suite& suite, bool server, const std::string& what) {
  return std::string(suite.version == TLS1_3_VERSION ? "TLS 1.3" : "TLS 1.2") + (server ? " server " : " client ") +
         what;
}

// A connection whose one side is on a kernel and whose other side is not.
struct Subject {
  Subject(const Suite& suite, bool server)
      : link(suite, server ? &peer_end : &kernel, server ? &kernel : &peer_end),
        engine(link.engine(server)),
        peer(link.engine(!server)) {}

  SealingKernel kernel;
  WireEnd peer_end;
  Link link;
  Engine& engine;
  Engine& peer;
};

// --- refusals -------------------------------------------------------------------------------------------------------

TEST("nothing is asked of the kernel unless it is wanted") {
  for (const bool server : {false, true}) {
    Subject subject(kTls13, server);
    subject.link.Handshake();
    CHECK_EQ(subject.kernel.calls, "");
    CHECK_WORKS(subject.link);
  }
}

TEST("a transport without kernel TLS says so and goes on in userspace") {
  WireEnd client;
  WireEnd server;
  Link link(kTls13, &client, &server);
  link.server().RequestKernelTls(kBoth);
  link.Handshake();
  CHECK_EQ(link.server().attach_error(), -EPROTONOSUPPORT);
  CHECK_EQ(link.server().tx_error(), 0);
  CHECK_EQ(link.server().rx_error(), 0);
  CHECK_WORKS(link);
}

TEST("an attach that fails, with whatever errno, leaves both directions in userspace and is not tried again") {
  for (const Suite& suite : {kTls13, kTls12}) {
    for (const bool server : {false, true}) {
      for (const int error : kErrors) {
        tap::Case row(Row(suite, server, std::strerror(error)));
        Subject subject(suite, server);
        subject.kernel.attach_answer = -error;
        subject.engine.RequestKernelTls(kBoth);
        subject.link.Handshake();
        CHECK_EQ(subject.engine.attach_error(), -error);
        CHECK_EQ(subject.engine.tx_error(), 0);
        CHECK_EQ(subject.engine.rx_error(), 0);
        CHECK(subject.engine.tx() == RecordLayer::kUserspace);
        CHECK(subject.engine.rx() == RecordLayer::kUserspace);
        CHECK_WORKS(subject.link);
        CHECK_WORKS(subject.link);
        CHECK_EQ(subject.kernel.calls, "attach");
      }
    }
  }
}

TEST("TX, RX or both refused, with whatever errno: the refused direction works in userspace, the other in the kernel") {
  struct Refusal {
    bool tx;
    bool rx;
  };
  for (const Suite& suite : {kTls13, kTls12}) {
    for (const bool server : {false, true}) {
      for (const int error : kErrors) {
        for (const Refusal refused : {Refusal{true, false}, Refusal{false, true}, Refusal{true, true}}) {
          tap::Case row(Row(suite, server, std::string(refused.tx ? "tx " : "") + (refused.rx ? "rx " : "") +
                                               std::strerror(error)));
          Subject subject(suite, server);
          if (refused.tx) subject.kernel.tx_answer = -error;
          if (refused.rx) subject.kernel.rx_answer = -error;
          subject.engine.RequestKernelTls(kBoth);
          subject.link.Handshake();
          CHECK_EQ(subject.engine.attach_error(), 0);
          CHECK_EQ(subject.engine.tx_error(), refused.tx ? -error : 0);
          CHECK_EQ(subject.engine.rx_error(), refused.rx ? -error : 0);
          CHECK(subject.engine.tx() == (refused.tx ? RecordLayer::kUserspace : RecordLayer::kKernel));
          CHECK(subject.engine.rx() == (refused.rx ? RecordLayer::kUserspace : RecordLayer::kKernel));
          CHECK_WORKS(subject.link);
          CHECK_WORKS(subject.link);
          CHECK_EQ(subject.kernel.calls, "attach, rx, tx");
          CHECK(End(&subject.engine) == Engine::FlushStatus::kDone);
          CHECK_EQ(Describe(ReadOnEvent(&subject.peer), subject.peer), "close_notify");
          CHECK(End(&subject.peer) == Engine::FlushStatus::kDone);
          CHECK_EQ(Describe(ReadOnEvent(&subject.engine), subject.engine), "close_notify");
        }
      }
    }
  }
}

TEST("one direction alone asks for that one alone, and its refusal leaves userspace") {
  for (const bool server : {false, true}) {
    for (const bool tx : {true, false}) {
      for (const int error : {0, EINVAL}) {
        tap::Case row(Row(kTls13, server, std::string(tx ? "tx " : "rx ") + std::strerror(error)));
        Subject subject(kTls13, server);
        (tx ? subject.kernel.tx_answer : subject.kernel.rx_answer) = -error;
        subject.engine.RequestKernelTls(tx ? kTxOnly : kRxOnly);
        subject.link.Handshake();
        CHECK_WORKS(subject.link);
        CHECK_EQ(subject.kernel.calls, tx ? "attach, tx" : "attach, rx");
        const RecordLayer expected = error == 0 ? RecordLayer::kKernel : RecordLayer::kUserspace;
        CHECK(subject.engine.tx() == (tx ? expected : RecordLayer::kUserspace));
        CHECK(subject.engine.rx() == (tx ? RecordLayer::kUserspace : expected));
      }
    }
  }
}

// --- TX waits for what is to be sent before it ----------------------------------------------------------------------

TEST("TX waits until the last byte of the handshake and its tickets is on the wire, however slowly that goes") {
  for (const Suite& suite : {kTls13, kTls12}) {
    tap::Case row(Row(suite, true, ""));
    Subject subject(suite, true);
    subject.engine.RequestKernelTls(kBoth);
    for (int i = 0; i < 3 && subject.engine.state() != Engine::State::kOpen; i++) {
      Advance(&subject.peer);
      // The flight before the last may pass; the last one finds the socket full.
      subject.engine.Handshake();
      if (subject.engine.state() == Engine::State::kOpen) subject.kernel.room = 0;
      subject.engine.Flush();
    }
    REQUIRE(subject.engine.state() == Engine::State::kOpen);
    CHECK(subject.engine.tx() == RecordLayer::kPending);
    CHECK_EQ(subject.kernel.calls, "attach, rx");
    // What is written meanwhile is libssl's.
    CHECK(Write(&subject.engine, "early") == Engine::FlushStatus::kBlocked);
    int steps = 0;
    while (subject.engine.tx() == RecordLayer::kPending && steps < 2000) {
      subject.kernel.room = 1;
      subject.engine.Flush();
      steps++;
    }
    CHECK(steps > 100);
    CHECK_EQ(subject.kernel.calls, "attach, rx, tx");
    CHECK(subject.engine.tx() == RecordLayer::kKernel);
    CHECK(!subject.engine.HasUnsent());
    subject.kernel.room = kUnlimited;
    Write(&subject.engine, " late");
    Advance(&subject.peer);
    CHECK_EQ(Describe(ReadAll(&subject.peer), subject.peer), "'early late', then waiting");
    CHECK_EQ(subject.peer.TakeNewSessions().size(), suite.version == TLS1_3_VERSION ? 2 : 1);
    CHECK_WORKS(subject.link);
  }
}

TEST("TX that is still waiting when the connection fails is not installed") {
  Subject subject(kTls13, true);
  subject.engine.RequestKernelTls(kTxOnly);
  for (int i = 0; i < 3 && subject.engine.state() != Engine::State::kOpen; i++) {
    Advance(&subject.peer);
    subject.engine.Handshake();
    if (subject.engine.state() == Engine::State::kOpen) subject.kernel.room = 0;
    subject.engine.Flush();
  }
  subject.kernel.inbound = {23, 3, 3, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK_EQ(Describe(ReadOnEvent(&subject.engine), subject.engine),
           "error DECRYPTION_FAILED_OR_BAD_RECORD_MAC, sent 20");
  subject.kernel.room = kUnlimited;
  subject.engine.Flush();
  CHECK_EQ(subject.kernel.calls, "attach");
  // The alert is behind the tickets.
  CHECK_EQ(Describe(ReadOnEvent(&subject.peer), subject.peer), "error SSLV3_ALERT_BAD_RECORD_MAC, received 20");
}

TEST("a write that fails while TX waits is reported, and TX is not installed") {
  Subject subject(kTls13, false);
  subject.engine.RequestKernelTls(kTxOnly);
  Advance(&subject.engine);
  Advance(&subject.peer);
  subject.engine.Handshake();
  REQUIRE(subject.engine.state() == Engine::State::kOpen);
  subject.kernel.send_error = -EPIPE;
  CHECK(subject.engine.Flush() == Engine::FlushStatus::kError);
  CHECK_EQ(subject.kernel.calls, "attach");
  CHECK(subject.engine.state() == Engine::State::kFailed);
}

// --- RX waits for what was read before it ---------------------------------------------------------------------------

// Goes on as a connection does: it is woken while bytes wait in the socket, and asks the engine for what it has.
Reading ReadUntilQuiet(Subject* subject) {
  Reading total;
  for (int i = 0; i < 2000; i++) {
    const bool readable = subject->kernel.readable();
    if (subject->engine.state() == Engine::State::kHandshake) {
      if (!readable) return total;
      Advance(&subject->engine);
      continue;
    }
    if (!readable && !subject->engine.HasBufferedInput()) return total;
    const Reading reading = ReadOnEvent(&subject->engine);
    total.data += reading.data;
    total.status = reading.status;
    if (reading.status == Engine::ReadStatus::kCloseNotify) return total;
    if (reading.status == Engine::ReadStatus::kError) return total;
    // A partial record leaves nothing to take: the rest has to come first.
    if (reading.data.empty() && !subject->kernel.inbound.empty() && subject->engine.rx() == RecordLayer::kKernel) {
      return total;
    }
  }
  tap::Fail(__FILE__, __LINE__, "the reader is woken again and again");
  return total;
}

// The side that sends the handshake's last flight can send data right behind it: the client in TLS 1.3, the server in
// TLS 1.2. Answers a subject whose socket holds that flight, two writes and, if asked for, close_notify.
std::unique_ptr<Subject> Coalesced(const Suite& suite, const KtlsRequest& request, bool close) {
  auto subject = std::make_unique<Subject>(suite, suite.version == TLS1_3_VERSION);
  subject->engine.RequestKernelTls(request);
  for (int i = 0; i < 5; i++) {
    subject->peer.Handshake();
    if (subject->peer.state() == Engine::State::kOpen) break;
    subject->peer.Flush();
    Advance(&subject->engine);
  }
  REQUIRE(subject->peer.state() == Engine::State::kOpen);
  REQUIRE(subject->engine.state() == Engine::State::kHandshake);
  const std::string first = "hello, ";
  subject->peer.Seal(reinterpret_cast<const uint8_t*>(first.data()), first.size());
  if (close) {
    const std::string second = "world";
    subject->peer.Seal(reinterpret_cast<const uint8_t*>(second.data()), second.size());
    subject->peer.SealCloseNotify();
    subject->peer.Flush();
  } else {
    Write(&subject->peer, "world");
  }
  return subject;
}

TEST("data that comes with the last flight is delivered once, wherever it is cut, and RX begins behind it") {
  for (const Suite& suite : {kTls13, kTls12}) {
    const size_t length = Coalesced(suite, kBoth, false)->kernel.inbound.size();
    for (size_t cut = 0; cut <= length; cut++) {
      tap::Case row(Row(suite, suite.version == TLS1_3_VERSION, "cut at " + std::to_string(cut)));
      const auto subject = Coalesced(suite, kBoth, false);
      const std::vector<uint8_t> all = subject->kernel.inbound;
      REQUIRE(all.size() >= cut);
      subject->kernel.inbound.assign(all.begin(), all.begin() + static_cast<ptrdiff_t>(cut));
      std::string data = ReadUntilQuiet(subject.get()).data;
      const auto rest_of_it = std::span(all).subspan(cut);
      subject->kernel.inbound.insert(subject->kernel.inbound.end(), rest_of_it.begin(), rest_of_it.end());
      data += ReadUntilQuiet(subject.get()).data;
      CHECK_EQ(data, "hello, world");
      subject->engine.Flush();
      ReadAll(&subject->peer);
      CHECK_WORKS(subject->link);
      CHECK(subject->engine.rx() == RecordLayer::kKernel);
      CHECK(subject->engine.tx() == RecordLayer::kKernel);
    }
  }
}

TEST("an end that comes with the last flight is noticed without another event, wherever it is cut") {
  for (const Suite& suite : {kTls13, kTls12}) {
    const size_t length = Coalesced(suite, kBoth, true)->kernel.inbound.size();
    for (size_t cut = 0; cut <= length; cut++) {
      tap::Case row(Row(suite, suite.version == TLS1_3_VERSION, "cut at " + std::to_string(cut)));
      const auto subject = Coalesced(suite, kBoth, true);
      const std::vector<uint8_t> all = subject->kernel.inbound;
      REQUIRE(all.size() >= cut);
      subject->kernel.inbound.assign(all.begin(), all.begin() + static_cast<ptrdiff_t>(cut));
      Reading total = ReadUntilQuiet(subject.get());
      const auto rest_of_it = std::span(all).subspan(cut);
      subject->kernel.inbound.insert(subject->kernel.inbound.end(), rest_of_it.begin(), rest_of_it.end());
      if (total.status != Engine::ReadStatus::kCloseNotify) {
        const Reading rest = ReadUntilQuiet(subject.get());
        total.data += rest.data;
        total.status = rest.status;
      }
      CHECK_EQ(Describe(total, subject->engine), "'hello, world', then close_notify");
    }
  }
}

TEST("an error that comes with the last flight is noticed, behind the data before it, without another event") {
  const auto subject = Coalesced(kTls13, kBoth, false);
  subject->kernel.inbound.back() ^= 1;
  const Reading total = ReadUntilQuiet(subject.get());
  CHECK_EQ(Describe(total, subject->engine), "'hello, ', then error DECRYPTION_FAILED_OR_BAD_RECORD_MAC, sent 20");
  subject->engine.Flush();
  CHECK_EQ(Describe(ReadAll(&subject->peer), subject->peer), "error SSLV3_ALERT_BAD_RECORD_MAC, received 20");
}

TEST("data that was drained for the kernel is delivered in pieces to a reader with little room") {
  const auto subject = Coalesced(kTls13, kRxOnly, false);
  Advance(&subject->engine);
  CHECK(subject->engine.rx() == RecordLayer::kKernel);
  CHECK(subject->engine.HasBufferedInput());
  const Reading reading = ReadOnEvent(&subject->engine, 5);
  CHECK_EQ(reading.data, "hello, world");
}

TEST("a record that has come in part when RX is to begin is finished by libssl, which then reads no byte too many") {
  const auto subject = Coalesced(kTls13, kRxOnly, false);
  const uint8_t last = subject->kernel.inbound.back();
  subject->kernel.inbound.pop_back();
  Advance(&subject->engine);
  CHECK(subject->engine.rx() == RecordLayer::kPending);
  CHECK_EQ(ReadAll(&subject->engine).data, "hello, ");
  CHECK(subject->engine.rx() == RecordLayer::kPending);
  Write(&subject->peer, "!");
  subject->kernel.inbound.insert(subject->kernel.inbound.begin(), last);
  CHECK_EQ(ReadAll(&subject->engine).data, "world!");
  CHECK(subject->engine.rx() == RecordLayer::kKernel);
  CHECK_EQ(subject->kernel.calls, "attach, rx");
}

TEST("TX does not wait for RX: with a partial record on the way in it is installed first") {
  for (const int rx_answer : {0, -EINVAL}) {
    for (const int tx_answer : {0, -EINVAL}) {
      tap::Case row(std::to_string(tx_answer) + " " + std::to_string(rx_answer));
      const auto subject = Coalesced(kTls13, kBoth, false);
      subject->kernel.rx_answer = rx_answer;
      subject->kernel.tx_answer = tx_answer;
      const uint8_t last = subject->kernel.inbound.back();
      subject->kernel.inbound.pop_back();
      Advance(&subject->engine);
      CHECK_EQ(subject->kernel.calls, "attach, tx");
      CHECK_EQ(ReadAll(&subject->engine).data, "hello, ");
      subject->kernel.inbound.push_back(last);
      CHECK_EQ(ReadAll(&subject->engine).data, "world");
      CHECK_EQ(subject->kernel.calls, "attach, tx, rx");
      CHECK_EQ(subject->engine.rx_error(), rx_answer);
      CHECK_EQ(subject->engine.tx_error(), tx_answer);
      ReadAll(&subject->peer);
      CHECK_WORKS(subject->link);
    }
  }
}

TEST("tickets that come byte by byte are kept") {
  Subject subject(kTls13, false);
  subject.engine.RequestKernelTls(kRxOnly);
  Advance(&subject.engine);
  Advance(&subject.peer);
  Advance(&subject.engine);
  CHECK(subject.engine.rx() == RecordLayer::kKernel);
  Advance(&subject.peer);
  // libssl sends them with the first write.
  Write(&subject.peer, "hello");
  const std::vector<uint8_t> all = std::exchange(subject.kernel.inbound, {});
  std::string data;
  for (const uint8_t byte : all) {
    subject.kernel.inbound.push_back(byte);
    data += ReadAll(&subject.engine).data;
  }
  CHECK_EQ(data, "hello");
  CHECK_EQ(subject.engine.TakeNewSessions().size(), 2);
  CHECK_WORKS(subject.link);
}

// --- after some bytes -----------------------------------------------------------------------------------------------

TEST("afterBytes counts what is sent and what is received, and the kernel is asked when it is reached") {
  for (const bool server : {false, true}) {
    tap::Case row(server ? "server" : "client");
    Subject subject(kTls13, server);
    subject.engine.RequestKernelTls({true, true, 100});
    subject.link.Handshake();
    Write(&subject.engine, std::string(49, 'x'));
    ReadAll(&subject.peer);
    Write(&subject.peer, std::string(50, 'y'));
    CHECK_EQ(ReadAll(&subject.engine).data.size(), 50);
    CHECK_EQ(subject.kernel.calls, "");
    Write(&subject.engine, "z");
    CHECK_EQ(subject.kernel.calls, "attach, rx, tx");
    ReadAll(&subject.peer);
    CHECK_WORKS(subject.link);
  }
}

TEST("afterBytes that is reached by reading installs with what was read ahead delivered once and in its order") {
  std::string text(150'000, ' ');
  for (size_t i = 0; i < text.size(); i++) text[i] = static_cast<char>('a' + i * 31 % 26);
  for (const Suite& suite : {kTls13, kTls12}) {
    for (const uint64_t after : {1, 1000, 16384, 16385, 50'000, 149'999}) {
      for (const size_t capacity : {1000, 16384, 65536, 70'000}) {
        tap::Case row(Row(suite, true, std::to_string(after) + " read by " + std::to_string(capacity)));
        Subject subject(suite, true);
        subject.engine.RequestKernelTls({true, true, after});
        subject.link.Handshake();
        Write(&subject.peer, text);
        std::string data;
        for (int i = 0; i < 1000 && (subject.kernel.readable() || subject.engine.HasBufferedInput()); i++) {
          data += ReadOnEvent(&subject.engine, capacity).data;
        }
        CHECK(data == text);
        CHECK(subject.engine.rx() == RecordLayer::kKernel);
        subject.engine.Flush();
        CHECK(subject.engine.tx() == RecordLayer::kKernel);
        CHECK_WORKS(subject.link);
      }
    }
  }
}

TEST("afterBytes that is reached by writing with input waiting delivers that input") {
  Subject subject(kTls13, true);
  subject.engine.RequestKernelTls({true, true, 10});
  subject.link.Handshake();
  Write(&subject.peer, "ab");
  // The reader has room for one byte: the other is with libssl when the write arms the kernel.
  uint8_t byte = 0;
  CHECK(subject.engine.Read(&byte, 1).length == 1);
  CHECK(subject.engine.HasBufferedInput());
  Write(&subject.engine, "0123456789");
  CHECK_EQ(ReadUntilQuiet(&subject).data, "b");
  CHECK(subject.engine.rx() == RecordLayer::kKernel);
  ReadAll(&subject.peer);
  CHECK_WORKS(subject.link);
}

TEST("a ticket of which libssl has read one record when RX begins is kept, and nothing is misunderstood") {
  SealingKernel client;
  SealingKernel server;
  Link link(kTls13, &client, &server);
  link.client().RequestKernelTls({false, true, 5});
  link.server().RequestKernelTls(kTxOnly);
  link.Handshake();
  ReadAll(&link.client());
  link.client().TakeNewSessions();
  // Lifetime, age, nonce, ticket, extensions: RFC 8446, section 4.6.1.
  const std::string ticket("\x04\x00\x00\x12\x00\x00\x0e\x10\x01\x02\x03\x04\x01\x00\x00\x04tick\x00\x00", 22);
  Write(&link.server(), "hello");
  server.Inject(SSL3_RT_HANDSHAKE, ticket.substr(0, 10));
  CHECK_EQ(ReadOnEvent(&link.client()).data, "hello");
  server.Inject(SSL3_RT_HANDSHAKE, ticket.substr(10));
  Write(&link.server(), "world");
  CHECK_EQ(Describe(ReadAll(&link.client()), link.client()), "'world', then waiting");
  CHECK_EQ(link.client().TakeNewSessions().size(), 1);
  CHECK_WORKS(link);
}

// --- KeyUpdate ------------------------------------------------------------------------------------------------------

TEST("a KeyUpdate before the install is answered before it, and the kernel gets the new keys") {
  for (const bool server : {false, true}) {
    tap::Case row(server ? "server" : "client");
    Subject subject(kTls13, server);
    subject.engine.RequestKernelTls({true, true, 10});
    subject.link.Handshake();
    REQUIRE(SSL_key_update(subject.peer.ssl(), SSL_KEY_UPDATE_REQUESTED));
    Write(&subject.peer, "0123456789");
    CHECK_EQ(ReadAll(&subject.engine).data, "0123456789");
    subject.engine.Flush();
    CHECK(subject.engine.tx() == RecordLayer::kKernel);
    CHECK(subject.engine.rx() == RecordLayer::kKernel);
    CHECK_WORKS(subject.link);
  }
}

TEST("a KeyUpdate that asks for ours while TX waits for the socket is answered before TX begins") {
  Subject subject(kTls13, true);
  subject.engine.RequestKernelTls(kTxOnly);
  for (int i = 0; i < 3 && subject.engine.state() != Engine::State::kOpen; i++) {
    Advance(&subject.peer);
    subject.engine.Handshake();
    if (subject.engine.state() == Engine::State::kOpen) subject.kernel.room = 0;
    subject.engine.Flush();
  }
  CHECK(subject.engine.tx() == RecordLayer::kPending);
  REQUIRE(SSL_key_update(subject.peer.ssl(), SSL_KEY_UPDATE_REQUESTED));
  Write(&subject.peer, "new keys");
  CHECK_EQ(ReadAll(&subject.engine).data, "new keys");
  subject.kernel.room = kUnlimited;
  subject.engine.Flush();
  CHECK(subject.engine.tx() == RecordLayer::kKernel);
  CHECK_WORKS(subject.link);
}

TEST("with TX alone in the kernel a KeyUpdate that asks for nothing is honoured") {
  Subject subject(kTls13, true);
  subject.engine.RequestKernelTls(kTxOnly);
  subject.link.Handshake();
  ReadAll(&subject.peer);
  REQUIRE(SSL_key_update(subject.peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED));
  Write(&subject.peer, "new keys");
  CHECK_EQ(Describe(ReadAll(&subject.engine), subject.engine), "'new keys', then waiting");
  CHECK_WORKS(subject.link);
}

TEST("with TX alone in the kernel a KeyUpdate that asks for ours ends the connection and says why, after its data") {
  Subject subject(kTls13, true);
  subject.engine.RequestKernelTls(kTxOnly);
  subject.link.Handshake();
  ReadAll(&subject.peer);
  REQUIRE(SSL_key_update(subject.peer.ssl(), SSL_KEY_UPDATE_REQUESTED));
  Write(&subject.peer, "new keys");
  CHECK_EQ(Describe(ReadAll(&subject.engine), subject.engine), "'new keys', then error KTLS_KEY_UPDATE, sent 80");
  CHECK_EQ(Describe(ReadAll(&subject.peer), subject.peer), "error TLSV1_ALERT_INTERNAL_ERROR, received 80");
}

TEST("with TX alone in the kernel a KeyUpdate without data ends the connection at once") {
  Subject subject(kTls13, true);
  subject.engine.RequestKernelTls(kTxOnly);
  subject.link.Handshake();
  REQUIRE(SSL_key_update(subject.peer.ssl(), SSL_KEY_UPDATE_REQUESTED));
  SSL_write(subject.peer.ssl(), "", 0);
  subject.peer.Flush();
  CHECK_EQ(Describe(ReadOnEvent(&subject.engine), subject.engine), "error KTLS_KEY_UPDATE, sent 80");
}

// --- what has to be settled first -----------------------------------------------------------------------------------

KtlsRequest Required() {
  KtlsRequest request = kBoth;
  request.settle_first = true;
  return request;
}

TEST("where it must be settled first, the handshake is not over before both directions are, wherever the input is cut") {
  for (const Suite& suite : {kTls13, kTls12}) {
    for (const int rx_answer : {0, -ENOMEM}) {
      const size_t length = Coalesced(suite, Required(), false)->kernel.inbound.size();
      for (size_t cut = 0; cut <= length; cut++) {
        tap::Case row(Row(suite, suite.version == TLS1_3_VERSION, "cut at " + std::to_string(cut)));
        const auto subject = Coalesced(suite, Required(), false);
        subject->kernel.rx_answer = rx_answer;
        const std::vector<uint8_t> all = subject->kernel.inbound;
        subject->kernel.inbound.assign(all.begin(), all.begin() + static_cast<ptrdiff_t>(cut));
        Advance(&subject->engine);
        if (subject->engine.in_handshake()) {
          CHECK(subject->engine.tx() != RecordLayer::kKernel);
          CHECK_EQ(ReadAll(&subject->peer).data, "");
        }
        if (cut == length - 1) CHECK(subject->engine.state() == Engine::State::kSettling);
        const auto rest_of_it = std::span(all).subspan(cut);
        subject->kernel.inbound.insert(subject->kernel.inbound.end(), rest_of_it.begin(), rest_of_it.end());
        if (subject->engine.in_handshake()) Advance(&subject->engine);
        REQUIRE(subject->engine.state() == Engine::State::kOpen);
        CHECK(subject->engine.tx() == RecordLayer::kKernel);
        CHECK(subject->engine.rx() == (rx_answer == 0 ? RecordLayer::kKernel : RecordLayer::kUserspace));
        CHECK_EQ(subject->engine.rx_error(), rx_answer);
        CHECK_EQ(ReadUntilQuiet(subject.get()).data, "hello, world");
        ReadAll(&subject->peer);
        CHECK_WORKS(subject->link);
      }
    }
  }
}

TEST("a KeyUpdate that comes in part when it must be settled first is libssl's to answer") {
  const auto subject = Coalesced(kTls13, Required(), false);
  REQUIRE(SSL_key_update(subject->peer.ssl(), SSL_KEY_UPDATE_REQUESTED));
  Write(&subject->peer, "!");
  const std::vector<uint8_t> all = subject->kernel.inbound;
  // In the KeyUpdate, which is as long as its record of data behind it is not.
  const size_t last_record = SSL3_RT_HEADER_LENGTH + 1 + 1 + 16;
  subject->kernel.inbound.resize(all.size() - last_record - 3);
  Advance(&subject->engine);
  REQUIRE(subject->engine.state() == Engine::State::kSettling);
  const auto rest_of_it = std::span(all).subspan(all.size() - last_record - 3);
  subject->kernel.inbound.assign(rest_of_it.begin(), rest_of_it.end());
  Advance(&subject->engine);
  REQUIRE(subject->engine.state() == Engine::State::kOpen);
  CHECK(subject->engine.tx() == RecordLayer::kKernel);
  CHECK(subject->engine.rx() == RecordLayer::kKernel);
  CHECK_EQ(ReadUntilQuiet(subject.get()).data, "hello, world!");
  ReadAll(&subject->peer);
  CHECK_WORKS(subject->link);
}

TEST("where it must be settled first, TX that waits for a full socket holds the handshake up") {
  for (const Suite& suite : {kTls13, kTls12}) {
    tap::Case row(Row(suite, true, ""));
    Subject subject(suite, true);
    subject.engine.RequestKernelTls(Required());
    for (int i = 0; i < 3 && subject.engine.state() != Engine::State::kSettling; i++) {
      subject.kernel.room = kUnlimited;
      Advance(&subject.peer);
      if (i > 0) subject.kernel.room = 0;
      Advance(&subject.engine);
    }
    REQUIRE(subject.engine.state() == Engine::State::kSettling);
    subject.kernel.room = kUnlimited;
    CHECK(subject.engine.Flush() == Engine::FlushStatus::kDone);
    REQUIRE(subject.engine.state() == Engine::State::kOpen);
    Advance(&subject.peer);
    CHECK_WORKS(subject.link);
    CHECK(subject.engine.tx() == RecordLayer::kKernel);
  }
}

TEST("an end in the last flight, or in place of the rest of a record, is the reason that RX is not installed") {
  for (const KtlsRequest& request : {kBoth, Required()}) {
    const auto closed = Coalesced(kTls13, request, true);
    Advance(&closed->engine);
    CHECK(closed->engine.state() == Engine::State::kOpen);
    CHECK(closed->engine.rx() == RecordLayer::kUserspace);
    CHECK_EQ(closed->engine.rx_error(), -ESHUTDOWN);
    CHECK(closed->engine.tx() == RecordLayer::kKernel);
    CHECK_EQ(Describe(ReadUntilQuiet(closed.get()), closed->engine), "'hello, world', then close_notify");
  }
  const auto garbled = Coalesced(kTls13, Required(), false);
  garbled->kernel.inbound.back() ^= 1;
  Advance(&garbled->engine);
  CHECK_EQ(garbled->engine.rx_error(), -ECONNABORTED);
  const auto cut = Coalesced(kTls13, Required(), false);
  cut->kernel.inbound.pop_back();
  Advance(&cut->engine);
  REQUIRE(cut->engine.state() == Engine::State::kSettling);
  cut->kernel.inbound_ended = true;
  Advance(&cut->engine);
  CHECK(cut->engine.state() == Engine::State::kOpen);
  CHECK_EQ(cut->engine.rx_error(), -ECONNABORTED);
  CHECK_EQ(Describe(ReadAll(&cut->engine), cut->engine), "'hello, ', then eof");
}

}  // namespace
}  // namespace aws_lc
