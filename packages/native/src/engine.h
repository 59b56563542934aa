// The TLS state machine of one connection: AWS-LC's libssl between plaintext and a transport. It knows nothing of
// JavaScript and calls nothing back, so that a step of it may run on any thread.
//
// Ciphertext is read ahead of libssl, which by itself makes two system calls a record, and what is to be sent is
// collected over one step and flushed once: one system call a flight, or a batch of records.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws_lc.h"
#include "identity.h"
#include "key_update_limit.h"
#include "question.h"
#include "ticket_key_set.h"
#include "tls_error.h"
#include "transport.h"
#include "verification.h"

namespace aws_lc {

// What is demanded of the peer's certificate.
enum class PeerVerification : uint8_t {
  kNone = 0,      // server: no certificate is requested
  kRecord = 1,    // verified, the result is recorded, the handshake goes on whatever it is
  kOptional = 2,  // server: none is fine, a bad one is refused
  kRequired = 3,  // a valid one or no connection
};

// What the engine has to know of a configuration.
struct EngineConfig {
  SSL_CTX* ctx = nullptr;
  bool is_server = false;
  PeerVerification peer_verification = PeerVerification::kNone;
  // Whether somebody judges the peer's identity (its name) inside the handshake.
  bool checks_identity = false;
  // Client: what sessions are bound to beside the server's identity.
  std::array<uint8_t, SHA256_DIGEST_LENGTH> session_binding = {};
  // Server: what session tickets are sealed with.
  std::shared_ptr<TicketKeySet> ticket_keys;
  // Server. What it proves itself with where there is a choice to be made, and the algorithms it may sign with, in order of
  // preference; empty for libssl's own.
  const std::vector<Identity>* identities = nullptr;
  std::span<const uint16_t> sigalgs;
  // Server: the cipher suites of either generation, where they were chosen.
  std::string_view cipher_list;
  std::string_view cipher_suites;
  // Server: ALPN protocols in wire format, in order of preference.
  std::span<const uint8_t> alpn;
  // Server: what is asked while the ClientHello is being looked at.
  bool asks_server_name = false;
  bool asks_alpn = false;
  bool asks_ocsp_response = false;
  // Server: whether sessions of TLS 1.2 get ids, and somebody outside keeps them.
  bool stores_sessions = false;
};

// Scratch memory that the connections of one thread share; nothing in it outlives a step of an engine.
struct ScratchBuffers {
  // Four full records with header, content type and tag (RFC 8446, section 5.2): their plaintext is 64 KiB.
  static constexpr size_t kReadAhead = 4 * (SSL3_RT_HEADER_LENGTH + SSL3_RT_MAX_PLAIN_LENGTH + 1 + 16);
  std::vector<uint8_t> inbound = std::vector<uint8_t>(kReadAhead);
  std::vector<uint8_t> outbound;
  std::vector<uint8_t> gather = std::vector<uint8_t>(SSL3_RT_MAX_PLAIN_LENGTH);
  // Plaintext on its way between a connection and its plaintext socket: four full records.
  std::vector<uint8_t> pump = std::vector<uint8_t>(4 * SSL3_RT_MAX_PLAIN_LENGTH);
};

// The reason of an error that libssl does not have: the peer changed its keys, and the kernel cannot follow.
inline constexpr const char* kKtlsKeyUpdate = "KTLS_KEY_UPDATE";

// Who does the record layer of a direction.
enum class RecordLayer : uint8_t {
  kUserspace,
  kPending,  // the kernel, as soon as the direction is at a record boundary
  kKernel,
};

// What is wanted of kernel TLS.
struct KtlsRequest {
  bool tx = false;
  bool rx = false;
  uint64_t after_bytes = 0;
  // Whether the kernel can change the keys of a connection (Linux 6.14).
  bool can_rekey = false;
  // Own KeyUpdate after so many records under one key: a third of what AES-GCM bears (RFC 8446, section 5.5).
  uint64_t records_per_key = uint64_t{1} << 23;
  // Whether nothing but the handshake's own messages may pass before it is known what the kernel does.
  bool settle_first = false;
};

// A message of the protocol, or a record's header, that libssl has sent or received.
struct TracedMessage {
  bool sent = false;
  // As in a record's header (RFC 8446, section 5.1), or SSL3_RT_HEADER.
  int content_type = 0;
  std::vector<uint8_t> data;
};

class Engine {
 public:
  enum class State : uint8_t {
    kHandshake,  // waiting for bytes of the peer's
    kWaiting,    // waiting for an answer to question()
    kSettling,   // complete; what the kernel is to do is being handed to it before anything else happens
    kOpen,       // application data flows (either half may be shut down)
    kFailed,     // error() says why; only Flush() makes sense, for the alert
  };

  enum class ReadStatus : uint8_t { kData, kWantRead, kCloseNotify, kEof, kError };
  struct ReadResult {
    ReadStatus status;
    size_t length;
  };

  // kBlocked: the transport takes no more for now.
  enum class FlushStatus : uint8_t { kDone, kBlocked, kError };

  Engine(const EngineConfig& config, ScratchBuffers* scratch);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  static void InstallCallbacks(SSL_CTX* ctx);
  static void InstallServerCallbacks(SSL_CTX* ctx);
  static void InstallVerification(SSL_CTX* ctx, int mode);
  // For a server whose sessions somebody outside keeps.
  static void InstallSessionStore(SSL_CTX* ctx);
  // For a private key that somebody else has: signatures are asked for.
  static const SSL_PRIVATE_KEY_METHOD* RemoteKeyMethod();
  // For one that takes long (see signature.h): likewise, of whoever has other threads.
  static const SSL_PRIVATE_KEY_METHOD* CostlyKeyMethod();

  SSL* ssl() const { return ssl_.get(); }
  State state() const { return state_; }
  // Whether application data has to wait.
  bool in_handshake() const { return state_ != State::kOpen && state_ != State::kFailed; }
  const TlsError& error() const { return error_; }
  long verify_result() const { return verify_result_; }
  void set_transport(Transport* transport) { transport_ = transport; }

  // Ciphertext that somebody has read from the transport before us; it comes first.
  void Prepend(const uint8_t* data, size_t length);

  // Goes as far as the transport allows and leaves the outcome in state().
  void Handshake();
  const Question& question() const { return question_; }
  // While kChain is to be answered: what to verify.
  PeerChain peer_chain() const;
  // Answers question(). Handshake() goes on from there.
  void Give(Answer answer);
  // While an answer is outstanding: keeps what arrives, so that a peer that has gone is noticed, until so much has come
  // that the peer is to wait. Handshake() need not be called unless state() has become kFailed.
  void ListenWhileWaiting();
  // Server, while kClientHello is to be answered: what this client is served with from now on, ALPN, groups and session
  // tickets excepted.
  bool UseConfig(const EngineConfig& config);
  bool verifies_peer() const { return config_.peer_verification != PeerVerification::kNone; }
  // What this end proves itself with, null where it has nothing. A server has chosen once the ClientHello is dealt with.
  const Identity* identity() const;
  bool listens_while_waiting() const;

  ReadResult Read(uint8_t* out, size_t capacity);
  // Whether bytes were taken from the transport that Read() has not delivered: no readiness event will announce them.
  bool HasBufferedInput() const;
  // Whether the last Read() left the transport with more to receive, as far as can be told.
  bool MayReceiveMore() const { return !received_all_; }

  // Seals one record's worth of `data` at most; answers how much, zero on error. Call Flush() after the last.
  size_t Seal(const uint8_t* data, size_t length);
  // Seals the session tickets that libssl holds back until the first write, where there was none. Call Flush() after it.
  void SealTickets();
  // Records to come carry so much plaintext at most, and stay out of the kernel. False where the kernel seals already.
  bool SetMaxSendFragment(size_t length);
  // The signature algorithms that this end signs with and the peer accepts, in our order; known when the handshake is over.
  std::vector<uint16_t> SharedSigalgs() const;
  // Ends an established connection that this end does not want: the peer is told by an alert, and nothing follows it.
  // Call Flush() after it.
  void RefusePeer(uint8_t alert);
  // Queues close_notify; answers whether one was queued now.
  bool SealCloseNotify();
  FlushStatus Flush();
  // Keeps what was sealed for a Flush() in a later step, beyond the buffer that all connections share.
  void Hold();
  // Before the transport is closed: input that nobody has read makes TCP send RST, which drops what the peer has not
  // received yet.
  void DiscardInput();
  // While another thread sends on the transport, where the kernel seals, nobody else may: Flush() answers kBlocked.
  void LendTransport() { lent_ = true; }
  // `sent`: the bytes of plaintext that the other thread has sent.
  void TakeTransportBack(size_t sent);
  // The other thread's sending has failed with this errno.
  void FailToSend(int error);
  // Sends what the kernel holds of a record that it was told would go on.
  void PushOpenRecord();
  bool HasUnsent() const { return unsent_offset_ < unsent_.size() || key_update_queued_ || close_notify_queued_; }
  // Ciphertext collected in this step, waiting for Flush().
  size_t collected() const { return scratch_->outbound.size(); }

  bool close_notify_sent() const;
  // Bytes that the transport has taken: tells a slow peer from one that is gone.
  uint64_t bytes_sent() const { return bytes_sent_; }

  // Kernel TLS. To be asked for before the handshake; happens by itself once it can.
  void RequestKernelTls(const KtlsRequest& request);
  // Sends a KeyUpdate (RFC 8446, section 4.6.3) and changes the sending keys; the peer is asked to change its own. False,
  // with the reason on the error queue or in error(), where it cannot be done.
  bool UpdateKeys();
  RecordLayer tx() const { return tx_; }
  RecordLayer rx() const { return rx_; }
  // Negated errno of the step that failed, or zero; rx_error() is -ESHUTDOWN where the peer had sent close_notify before RX
  // could be installed, and -ECONNABORTED where reading had failed.
  int attach_error() const { return attach_error_; }
  int tx_error() const { return tx_error_; }
  int rx_error() const { return rx_error_; }
  // The peer's chain up to the root that verifies it, verified anew; null if it does not verify.
  bssl::UniquePtr<STACK_OF(X509)> VerifiedChain() const;

  // The session that TLS 1.3 delivered last (or the one of the handshake), as it was serialised; empty if none came.
  std::vector<std::vector<uint8_t>> TakeNewSessions();
  // Client: binds the session of this connection to the server that is meant. Call before OfferSession().
  void BindSession(const std::string& server_identity);
  // Client: offers a session for resumption, unless it is bound to something else. False, with the reason on the error
  // queue, if it is none.
  bool OfferSession(const uint8_t* data, size_t length);
  // Client, before the handshake: whether the session on offer must not be offered by another connection.
  bool OffersSingleUse() const;
  void set_keeps_sessions(bool keeps) { keeps_sessions_ = keeps; }

  // The secrets of the connection, as NSS's key log has them; to be asked for before the handshake.
  void KeepKeyLog();
  std::vector<std::string> TakeKeyLog();

  // What libssl sends and receives from now on. What the kernel does is not seen.
  void KeepTrace() { keeps_trace_ = true; }
  std::vector<TracedMessage> TakeTrace();

 private:
  static Engine* From(const SSL* ssl);
  static const BIO_METHOD* BioMethod();
  static int BioRead(BIO* bio, char* out, int length);
  static int BioWrite(BIO* bio, const char* data, int length);
  static long BioCtrl(BIO* bio, int command, long number, void* pointer);
  static void OnInfo(const SSL* ssl, int type, int value);
  void RememberSharedSigalgs();
  template <QuestionKind kKind>
  static enum ssl_private_key_result_t OnSign(SSL* ssl, uint8_t* out, size_t* out_length, size_t max_out,
                                              uint16_t algorithm, const uint8_t* in, size_t in_length);
  static enum ssl_private_key_result_t OnRemoteDecrypt(SSL* ssl, uint8_t* out, size_t* out_length, size_t max_out,
                                                       const uint8_t* in, size_t in_length);
  static enum ssl_private_key_result_t OnDecrypt(SSL* ssl, uint8_t* out, size_t* out_length, size_t max_out,
                                                 const uint8_t* in, size_t in_length);
  static enum ssl_private_key_result_t OnSigned(SSL* ssl, uint8_t* out, size_t* out_length, size_t max_out);
  static int OnNewSession(SSL* ssl, SSL_SESSION* session);
  static SSL_SESSION* OnFindSession(SSL* ssl, const uint8_t* id, int id_length, int* out_copy);
  static enum ssl_verify_result_t OnVerify(SSL* ssl, uint8_t* out_alert);
  static enum ssl_select_cert_result_t OnClientHello(const SSL_CLIENT_HELLO* hello);
  static int OnSelectAlpn(SSL* ssl, const uint8_t** out, uint8_t* out_length, const uint8_t* offered,
                          unsigned offered_length, void* arg);
  static void OnKeyLog(const SSL* ssl, const char* line);

  enum ssl_select_cert_result_t HandleClientHello(const SSL_CLIENT_HELLO* hello);
  bool AskAboutClient(const SSL_CLIENT_HELLO* hello);
  bool AskForOcspResponse(const SSL_CLIENT_HELLO* hello);
  // For libssl's callbacks: the answer, once; without one the callback has to have libssl try again.
  std::optional<Answer> Ask(Question question);
  void Refuse(uint8_t alert);
  enum ssl_verify_result_t VerifyPeer(uint8_t* out_alert);
  // False while the verdict is outstanding.
  bool JudgeChain();
  // libssl reverifies on resumption for clients only. False while the verdict is outstanding, or where it is a refusal.
  bool JudgeResumedPeer();
  bool RefusesChain() const;
  void CompleteHandshake();
  void ArmKernelTls();
  void DrainBuffered();
  bool IsSettled() const { return tx_ != RecordLayer::kPending && rx_ != RecordLayer::kPending; }
  void FlushLibrary();
  bool AtRecordBoundary() const;
  bool AttachTls();
  void InstallTx();
  void InstallRx();
  void GiveKeysAway(KtlsDirection direction, TrafficSecret* secret);
  void CountApplicationData(size_t length);
  size_t SendPlaintext(const uint8_t* data, size_t length);
  ReadResult ReadFromLibrary(uint8_t* out, size_t capacity);
  ReadResult ReadFromKernel(uint8_t* out, size_t capacity);
  std::optional<ReadResult> HandleControlRecord(uint8_t type, const uint8_t* data, size_t length);
  std::optional<ReadResult> HandleAlert(const uint8_t* data, size_t length);
  std::optional<ReadResult> HandleHandshakeMessages(const uint8_t* data, size_t length);
  ReadResult RefuseRecord(const char* reason, uint8_t alert);
  FlushStatus FlushCloseNotify();
  FlushStatus FlushKeyUpdate();
  std::optional<ReadResult> HandleKeyUpdate(const uint8_t* body, size_t length);
  ReadResult RefuseKeyUpdateStorm();
  bool QueueKeyUpdate(bool request_answer);
  bool SendKeyUpdateFromLibrary(int request);
  bool Rekey(KtlsDirection direction, TrafficSecret* secret);
  void CountSealedRecords(size_t length);
  void SendAlertThroughKernel(uint8_t level, uint8_t description);
  static void OnMessage(int is_write, int version, int content_type, const void* data, size_t length, SSL* ssl,
                        void* arg);
  void CountHandshakeBytes(int content_type, const uint8_t* data, size_t length);
  SSL_SESSION* FindSession(const uint8_t* id, size_t id_length);
  void KeepSession(SSL_SESSION* session);
  void KeepSessionToStore(SSL_SESSION* session);
  bool StoreSession();
  void Fail(TlsError error);
  void FailFromLibrary();
  int ReadTransport(uint8_t* out, size_t length);
  void CountOpenRecord(size_t count, size_t wanted);
  void EndInput();

  EngineConfig config_;
  ScratchBuffers* const scratch_;
  Transport* transport_ = nullptr;
  bssl::UniquePtr<SSL> ssl_;
  State state_ = State::kHandshake;
  TlsError error_;
  Alert last_alert_;

  // Input read ahead of libssl: what Prepend() brought or an interrupted step left behind.
  std::vector<uint8_t> stash_;
  size_t stash_offset_ = 0;
  // The part of the shared inbound buffer that this step has not consumed.
  size_t window_offset_ = 0;
  size_t window_end_ = 0;
  bool drained_ = false;
  bool received_all_ = true;
  // Of a record that libssl has only a part of.
  size_t open_record_bytes_ = 0;
  bool reads_ahead_ = true;
  bool saw_eof_ = false;
  // The kernel may hold a record that no readiness event will announce.
  bool read_again_ = false;
  // The last Read() came upon an end behind the data that it delivered.
  bool end_pending_ = false;
  int receive_errno_ = 0;

  bool lent_ = false;
  uint64_t bytes_sent_ = 0;
  std::vector<uint8_t> unsent_;
  size_t unsent_offset_ = 0;

  // Until a chain was verified: what node:tls says of a peer that has shown none.
  long verify_result_ = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
  bool chain_verified_ = false;
  Question question_;
  std::optional<Answer> answer_;
  // The input ended while an answer was outstanding; it ends again when it is read.
  bool heard_end_ = false;
  bool client_known_ = false;
  const Identity* identity_ = nullptr;
  // What kClientHello was answered with; else the configuration that the connection began with decides.
  std::vector<uint8_t> chosen_protocol_;
  std::span<const uint8_t> alpn_;

  KtlsRequest ktls_request_;
  RecordLayer tx_ = RecordLayer::kUserspace;
  RecordLayer rx_ = RecordLayer::kUserspace;
  bool ktls_armed_ = false;
  bool attached_ = false;
  int attach_error_ = 0;
  int tx_error_ = 0;
  int rx_error_ = 0;
  uint64_t application_bytes_ = 0;
  // Application data that came with the last flight of the handshake, decrypted so that the kernel can take over.
  std::vector<uint8_t> early_plaintext_;
  size_t early_offset_ = 0;
  // Bytes of handshake messages that libssl has in part; it tells nobody otherwise.
  size_t open_handshake_bytes_ = 0;
  // A handshake message that the kernel has delivered in part.
  std::vector<uint8_t> handshake_fragment_;
  bool close_notify_queued_ = false;
  bool close_notify_sent_by_kernel_ = false;
  TrafficSecret tx_secret_;
  TrafficSecret rx_secret_;
  // A KeyUpdate that waits for what was written before it, and whether it asks for an answer.
  bool key_update_queued_ = false;
  bool key_update_asks_ = false;
  bool key_update_refused_ = false;
  KeyUpdateLimit key_update_limit_;
  // libssl has read one KeyUpdate too many.
  bool key_update_storm_ = false;
  // Without application data between them.
  unsigned empty_records_in_a_row_ = 0;
  unsigned warnings_in_a_row_ = 0;
  uint64_t records_sealed_ = 0;
  bool tickets_sealed_ = false;
  size_t unwatched_bytes_ = 0;

  // What kStoreSession is to ask once the handshake's last message is out.
  Question session_to_store_;
  // By place in our list.
  uint32_t shared_sigalgs_ = 0;

  bool keeps_sessions_ = false;
  std::vector<std::vector<uint8_t>> new_sessions_;
  bool keeps_key_log_ = false;
  std::vector<std::string> key_log_;
  bool keeps_trace_ = false;
  std::vector<TracedMessage> trace_;
};

}  // namespace aws_lc
