// What the kernel delivers once RX is its own: data, and every record that it leaves to us.
#include <cerrno>

#include "link.h"
#include "scripted_kernel.h"
#include "sealing_kernel.h"
#include "tap.h"

namespace aws_lc {
namespace {

// An engine whose RX (and TX, unless told otherwise) is with a kernel that delivers what it is told to.
struct Receiver {
  explicit Receiver(const Suite& suite = kTls13, bool server = false, const KtlsRequest& request = kBoth)
      : link(suite, server ? &peer_end : &kernel, server ? &kernel : &peer_end),
        engine(link.engine(server)),
        peer(link.engine(!server)) {
    engine.RequestKernelTls(request);
    link.Handshake();
    REQUIRE(engine.rx() == RecordLayer::kKernel);
    // The peer's tickets are ciphertext that this kernel does not understand.
    kernel.inbound.clear();
    ReadAll(&peer);
    engine.TakeNewSessions();
  }

  std::string Outcome() { return Describe(ReadAll(&engine), engine); }

  ScriptedKernel kernel;
  WireEnd peer_end;
  Link link;
  Engine& engine;
  Engine& peer;
};

// RFC 8446, section 4.6.1; without extensions.
std::string Ticket(const std::string& ticket) {
  std::string body("\x00\x00\x0e\x10\x01\x02\x03\x04\x01\x00", 10);
  body += static_cast<char>(ticket.size() >> 8);
  body += static_cast<char>(ticket.size());
  body += ticket + std::string(2, '\0');
  std::string message = {4, 0, static_cast<char>(body.size() >> 8), static_cast<char>(body.size())};
  return message + body;
}

// --- data -----------------------------------------------------------------------------------------------------------

TEST("data is delivered as it comes, and ciphertext is not read any more") {
  Receiver receiver;
  receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "one");
  receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, " two");
  CHECK_EQ(receiver.Outcome(), "'one two', then waiting");
  receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, std::string(100'000, 'x'));
  CHECK_EQ(ReadAll(&receiver.engine, 4096).data.size(), 100'000);
  CHECK_EQ(receiver.kernel.Calls(), "attach, rx, tx");
}

TEST("an empty record of data says nothing and does not end the connection") {
  Receiver receiver;
  receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "");
  CHECK_EQ(receiver.Outcome(), "waiting");
  receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "");
  receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "data");
  receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "");
  CHECK_EQ(receiver.Outcome(), "'data', then waiting");
}

// --- ends -----------------------------------------------------------------------------------------------------------

TEST("close_notify is a clean end, a bare end of stream is told apart from it") {
  for (const Suite& suite : {kTls13, kTls12}) {
    Receiver clean(suite);
    clean.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "all");
    clean.kernel.Arrive(SSL3_RT_ALERT, {1, 0});
    clean.kernel.ArriveEof();
    CHECK_EQ(clean.Outcome(), "'all', then close_notify");

    Receiver bare(suite);
    bare.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "all?");
    bare.kernel.ArriveEof();
    CHECK_EQ(bare.Outcome(), "'all?', then eof");
    CHECK(bare.engine.state() == Engine::State::kOpen);
    CHECK(Write(&bare.engine, "x") == Engine::FlushStatus::kDone);
  }
}

TEST("what the kernel cannot open is refused with the alert that it deserves, through the kernel or by libssl") {
  struct Refusal {
    int error;
    const char* outcome;
    const char* alert;
    const char* to_peer;
  };
  const Refusal refusals[] = {
      {EBADMSG, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC, sent 20", "alert 0214",
       "error SSLV3_ALERT_BAD_RECORD_MAC, received 20"},
      {EMSGSIZE, "DATA_LENGTH_TOO_LONG, sent 22", "alert 0216", "error TLSV1_ALERT_RECORD_OVERFLOW, received 22"},
      {EINVAL, "WRONG_VERSION_NUMBER, sent 70", "alert 0246", "error TLSV1_ALERT_PROTOCOL_VERSION, received 70"},
  };
  for (const Suite& suite : {kTls13, kTls12}) {
    for (const Refusal& refusal : refusals) {
      tap::Case row(refusal.outcome);
      Receiver both(suite);
      both.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "before");
      both.kernel.ArriveError(refusal.error);
      both.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "after");
      CHECK_EQ(both.Outcome(), std::string("'before', then error ") + refusal.outcome);
      CHECK_EQ(both.kernel.Sent(), refusal.alert);
      CHECK(both.engine.state() == Engine::State::kFailed);
      CHECK_EQ(both.Outcome(), std::string("error ") + refusal.outcome);

      Receiver rx_only(suite, true, kRxOnly);
      rx_only.kernel.ArriveError(refusal.error);
      CHECK_EQ(rx_only.Outcome(), std::string("error ") + refusal.outcome);
      rx_only.engine.Flush();
      CHECK_EQ(Describe(ReadAll(&rx_only.peer), rx_only.peer), refusal.to_peer);
    }
  }
}

TEST("an error of the socket is the connection's error, without an alert") {
  for (const int error : {ECONNRESET, ETIMEDOUT, EIO}) {
    Receiver receiver;
    receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "before");
    receiver.kernel.ArriveError(error);
    CHECK_EQ(ReadOnEvent(&receiver.engine).data, "before");
    CHECK(ReadAll(&receiver.engine).status == Engine::ReadStatus::kError);
    CHECK_EQ(receiver.engine.error().system_errno, error);
    CHECK_EQ(receiver.engine.error().syscall, "read");
    CHECK(receiver.engine.error().alert.direction == Alert::Direction::kNone);
    CHECK_EQ(receiver.kernel.Sent(), "");
  }
}

// --- alerts ---------------------------------------------------------------------------------------------------------

TEST("a fatal alert is an error with its reason and is not answered") {
  struct Row {
    uint8_t description;
    const char* reason;
  };
  const Row rows[] = {
      {SSL_AD_UNEXPECTED_MESSAGE, "SSLV3_ALERT_UNEXPECTED_MESSAGE"},
      {SSL_AD_BAD_RECORD_MAC, "SSLV3_ALERT_BAD_RECORD_MAC"},
      {SSL_AD_RECORD_OVERFLOW, "TLSV1_ALERT_RECORD_OVERFLOW"},
      {SSL_AD_HANDSHAKE_FAILURE, "SSLV3_ALERT_HANDSHAKE_FAILURE"},
      {SSL_AD_BAD_CERTIFICATE, "SSLV3_ALERT_BAD_CERTIFICATE"},
      {SSL_AD_UNKNOWN_CA, "TLSV1_ALERT_UNKNOWN_CA"},
      {SSL_AD_DECRYPT_ERROR, "TLSV1_ALERT_DECRYPT_ERROR"},
      {SSL_AD_INTERNAL_ERROR, "TLSV1_ALERT_INTERNAL_ERROR"},
      {SSL_AD_CERTIFICATE_REQUIRED, "TLSV1_ALERT_CERTIFICATE_REQUIRED"},
  };
  for (const Suite& suite : {kTls13, kTls12}) {
    for (const Row& row : rows) {
      Receiver receiver(suite);
      receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "data");
      receiver.kernel.Arrive(SSL3_RT_ALERT, {2, static_cast<char>(row.description)});
      CHECK_EQ(receiver.Outcome(),
               "'data', then error " + std::string(row.reason) + ", received " + std::to_string(row.description));
      CHECK_EQ(receiver.kernel.Sent(), "");
      CHECK_EQ(receiver.engine.error().library, "SSL routines");
      CHECK_EQ(receiver.engine.error().alert.level, 2);
    }
  }
}

TEST("an alert that nobody has defined is still an error") {
  Receiver receiver;
  receiver.kernel.Arrive(SSL3_RT_ALERT, {2, 99});
  const Reading reading = ReadAll(&receiver.engine);
  CHECK(reading.status == Engine::ReadStatus::kError);
  CHECK(!receiver.engine.error().reason.empty());
  CHECK_EQ(receiver.engine.error().alert.description, 99);
}

// --- post-handshake messages ----------------------------------------------------------------------------------------

TEST("a ticket becomes a session: whole, byte by byte, two in a record, one and a half in a record") {
  const std::string one = Ticket("one");
  const std::string two = Ticket("another");
  const auto sessions = [](const std::vector<std::string>& records) {
    Receiver receiver;
    for (const std::string& record : records) receiver.kernel.Arrive(SSL3_RT_HANDSHAKE, record);
    receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "data");
    CHECK_EQ(receiver.Outcome(), "'data', then waiting");
    return receiver.engine.TakeNewSessions().size();
  };
  CHECK_EQ(sessions({one}), 1);
  CHECK_EQ(sessions({one, two}), 2);
  CHECK_EQ(sessions({one + two}), 2);
  CHECK_EQ(sessions({one + two.substr(0, 1), two.substr(1)}), 2);
  CHECK_EQ(sessions({one + two.substr(0, 9), two.substr(9)}), 2);
  CHECK_EQ(sessions({one.substr(0, 3), one.substr(3) + two}), 2);
  std::vector<std::string> bytes;
  for (const char byte : one + two) bytes.emplace_back(1, byte);
  CHECK_EQ(sessions(bytes), 2);
}

TEST("a ticket that came through the kernel resumes") {
  SealingKernel client_kernel;
  WireEnd server_end;
  Link link(kTls13, &client_kernel, &server_end);
  link.client().RequestKernelTls(kBoth);
  link.Handshake();
  Write(&link.server(), "tickets and data");
  CHECK_EQ(ReadAll(&link.client()).data, "tickets and data");
  const auto sessions = link.client().TakeNewSessions();
  REQUIRE(sessions.size() == 2);
  bssl::UniquePtr<SSL_SESSION> session(
      SSL_SESSION_from_bytes(sessions[0].data(), sessions[0].size(), SSL_get_SSL_CTX(link.client().ssl())));
  REQUIRE(session != nullptr);

  WireEnd client_end;
  WireEnd again;
  EngineConfig config;
  config.ctx = SSL_get_SSL_CTX(link.client().ssl());
  Engine client(config, link.scratch());
  config.ctx = SSL_get_SSL_CTX(link.server().ssl());
  config.is_server = true;
  Engine server(config, link.scratch());
  client_end.ConnectTo(&again);
  client.set_transport(&client_end);
  server.set_transport(&again);
  REQUIRE(SSL_set_session(client.ssl(), session.get()));
  for (int i = 0; i < 4; i++) {
    Advance(&client);
    Advance(&server);
  }
  CHECK(server.state() == Engine::State::kOpen);
  CHECK(SSL_session_reused(client.ssl()) == 1);
}

TEST("a ticket that cannot be parsed is refused with one alert") {
  for (const KtlsRequest& request : {kBoth, kRxOnly}) {
    Receiver receiver(kTls13, false, request);
    receiver.kernel.Arrive(SSL3_RT_HANDSHAKE, std::string("\x04\x00\x00\x03\x00\x00\x00", 7));
    CHECK_EQ(receiver.Outcome(), "error DECODE_ERROR, sent 50");
    receiver.engine.Flush();
    if (request.tx) {
      CHECK_EQ(receiver.kernel.Sent(), "alert 0232");
    } else {
      CHECK_EQ(Describe(ReadAll(&receiver.peer), receiver.peer), "error TLSV1_ALERT_DECODE_ERROR, received 50");
    }
  }
}

TEST("a message longer than any ticket is refused before it is collected") {
  Receiver receiver;
  receiver.kernel.Arrive(SSL3_RT_HANDSHAKE, std::string("\x04\xff\xff\xff", 4));
  CHECK_EQ(receiver.Outcome(), "error EXCESSIVE_MESSAGE_SIZE, sent 47");
}

TEST("a KeyUpdate ends the connection and says why") {
  for (const bool server : {false, true}) {
    for (const char requested : {0, 1}) {
      Receiver receiver(kTls13, server);
      receiver.kernel.Arrive(SSL3_RT_APPLICATION_DATA, "data");
      receiver.kernel.Arrive(SSL3_RT_HANDSHAKE, {24, 0, 0, 1, requested});
      CHECK_EQ(receiver.Outcome(), "'data', then error KTLS_KEY_UPDATE, sent 80");
      CHECK_EQ(receiver.kernel.Sent(), "alert 0250");
    }
  }
}

// --- as libssl ------------------------------------------------------------------------------------------------------

// Sends `records` from a peer that seals anything, and answers what the user and the peer see.
std::string OutcomeOf(const Suite& suite, bool server, const KtlsRequest& request, const std::vector<Record>& records) {
  SealingKernel subject_kernel;
  SealingKernel peer_kernel;
  Link link(suite, server ? &peer_kernel : &subject_kernel, server ? &subject_kernel : &peer_kernel);
  Engine& engine = link.engine(server);
  Engine& peer = link.engine(!server);
  peer.RequestKernelTls(kTxOnly);
  engine.RequestKernelTls(request);
  link.Handshake();
  REQUIRE(peer.tx() == RecordLayer::kKernel);
  REQUIRE(engine.rx() == (request.rx ? RecordLayer::kKernel : RecordLayer::kUserspace));
  ReadAll(&engine);
  for (const Record& record : records) peer_kernel.Inject(record.type, record.body);
  const std::string outcome = Describe(ReadAll(&engine), engine);
  engine.Flush();
  return outcome + "; peer: " + Describe(ReadAll(&peer), peer);
}

// The install may change nothing of what a user sees.
void CheckAsInUserspace(const Suite& suite, bool server, const char* what, const std::vector<Record>& records) {
  const std::string userspace = OutcomeOf(suite, server, {}, records);
  for (const KtlsRequest& request : {kRxOnly, kBoth}) {
    tap::Case row(std::string(suite.version == TLS1_3_VERSION ? "TLS 1.3" : "TLS 1.2") +
                  (server ? " server" : " client") + (request.tx ? " both" : " rx") + ": " + what);
    CHECK_EQ(OutcomeOf(suite, server, request, records), userspace);
  }
}

struct Row {
  const char* what;
  std::vector<Record> records;
};

void CheckAsInUserspace(const std::vector<Row>& rows) {
  for (const Suite& suite : {kTls13, kTls12}) {
    for (const bool server : {false, true}) {
      for (const Row& row : rows) CheckAsInUserspace(suite, server, row.what, row.records);
    }
  }
}

Record AlertRecord(int level, int description) {
  return {SSL3_RT_ALERT, {static_cast<char>(level), static_cast<char>(description)}};
}

Record HandshakeRecord(std::string body) { return {SSL3_RT_HANDSHAKE, std::move(body)}; }

const Record kData = {SSL3_RT_APPLICATION_DATA, "data"};

TEST("data and records of other types have the effect that they have in userspace") {
  CheckAsInUserspace({
      {"data", {kData}},
      {"empty data", {{SSL3_RT_APPLICATION_DATA, ""}, kData}},
      {"ChangeCipherSpec", {{SSL3_RT_CHANGE_CIPHER_SPEC, "\1"}, kData}},
      {"an unknown type", {kData, {99, "?"}, kData}},
  });
}

TEST("an alert has the effect that it has in userspace") {
  CheckAsInUserspace({
      {"close_notify", {kData, AlertRecord(1, 0)}},
      {"user_canceled", {AlertRecord(1, 90), kData}},
      {"user_canceled, then close_notify", {kData, AlertRecord(1, 90), AlertRecord(1, 0)}},
      {"fatal handshake_failure", {kData, AlertRecord(2, 40)}},
      {"fatal and unknown", {AlertRecord(2, 99), kData}},
  });
  for (const bool server : {false, true}) {
    CheckAsInUserspace(kTls12, server, "warning no_renegotiation", {AlertRecord(1, 100), kData});
    CheckAsInUserspace(kTls12, server, "warning unrecognized_name", {AlertRecord(1, 112), kData});
    CheckAsInUserspace(kTls12, server, "fatal user_canceled", {AlertRecord(2, 90), kData});
  }
}

// RFC 8446, section 6: the severity is implicit in the type. libssl is stricter and answers another reason.
TEST("in TLS 1.3 the level of an alert means nothing") {
  for (const int level : {1, 2, 3}) {
    tap::Case row(std::to_string(level));
    CHECK_EQ(OutcomeOf(kTls13, true, kBoth, {kData, AlertRecord(level, 40)}),
             "'data', then error SSLV3_ALERT_HANDSHAKE_FAILURE, received 40; peer: waiting");
    CHECK_EQ(OutcomeOf(kTls13, true, kBoth, {kData, AlertRecord(level, 0)}),
             "'data', then close_notify; peer: waiting");
    CHECK_EQ(OutcomeOf(kTls13, true, kBoth, {AlertRecord(level, 90), kData}), "'data', then waiting; peer: waiting");
  }
}

TEST("an alert that is none has the effect that it has in userspace") {
  CheckAsInUserspace({
      {"one byte", {{SSL3_RT_ALERT, std::string(1, 1)}, kData}},
      {"empty", {{SSL3_RT_ALERT, ""}, kData}},
      {"two in one record", {{SSL3_RT_ALERT, std::string("\1\0\1\0", 4)}, kData}},
  });
}

// Or one call would go on for as long as the peer does.
TEST("a peer that sends nothing but warnings or empty records is refused as it is in userspace") {
  std::vector<Record> warnings(40, AlertRecord(1, 90));
  warnings.push_back(kData);
  std::vector<Record> empty(40, {SSL3_RT_APPLICATION_DATA, ""});
  empty.push_back(kData);
  CheckAsInUserspace({{"warnings", warnings}, {"empty records", empty}});
}

TEST("a handshake message that has no place after the handshake is refused as it is in userspace") {
  CheckAsInUserspace({
      {"HelloRequest", {HandshakeRecord(std::string(4, '\0')), kData}},
      {"HelloRequest with a body", {HandshakeRecord(std::string("\0\0\0\1x", 5)), kData}},
      {"ClientHello", {HandshakeRecord(std::string("\1\0\0\1x", 5)), kData}},
      {"Finished", {HandshakeRecord(std::string("\x14\0\0\1x", 5)), kData}},
      {"bad ticket", {HandshakeRecord(std::string("\4\0\0\1x", 5)), kData}},
      {"an unknown message", {HandshakeRecord(std::string("\x63\0\0\1x", 5)), kData}},
  });
  // Refused for its length before it is looked at; the limit is of no consequence in TLS 1.2, where every message ends
  // the connection.
  for (const bool server : {false, true}) {
    CheckAsInUserspace(kTls13, server, "an overlong message", {HandshakeRecord("\4\xff\xff\xff"), kData});
  }
}

TEST("fragments of a message with other records between them have the effect that they have in userspace") {
  const Record head = HandshakeRecord(Ticket("t").substr(0, 9));
  const Record tail = HandshakeRecord(Ticket("t").substr(9));
  CheckAsInUserspace(kTls13, false, "nothing between", {head, tail, kData});
  CheckAsInUserspace(kTls13, false, "data", {head, kData, tail});
  CheckAsInUserspace(kTls13, false, "empty data", {head, {SSL3_RT_APPLICATION_DATA, ""}, tail, kData});
  CheckAsInUserspace(kTls13, false, "close_notify", {head, AlertRecord(1, 0)});
}

TEST("a KeyUpdate before TLS 1.3 is a message that has no place there") {
  for (const bool server : {false, true}) {
    CheckAsInUserspace(kTls12, server, "KeyUpdate", {HandshakeRecord(std::string("\x18\0\0\1\0", 5)), kData});
  }
}

}  // namespace
}  // namespace aws_lc
