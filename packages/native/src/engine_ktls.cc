// The part of the engine that hands the record layer to the kernel and deals with what the kernel leaves to us: every
// record that is not application data.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine.h"
#include "library_keys.h"

namespace aws_lc {
namespace {

constexpr const char* kSslLibrary = "SSL routines";
constexpr size_t kHandshakeHeader = 4;
// As many as libssl bears.
constexpr unsigned kMaxEmptyRecordsInARow = 32;
constexpr unsigned kMaxWarningsInARow = 4;
// More than any post-handshake message that is accepted can have.
constexpr size_t kMaxHandshakeMessage = 64 * 1024;

size_t MessageLength(const std::vector<uint8_t>& data) {
  return kHandshakeHeader + (static_cast<size_t>(data[1]) << 16 | static_cast<size_t>(data[2]) << 8 | data[3]);
}

}  // namespace

// --- install ---------------------------------------------------------------------------------------------------------

void Engine::RequestKernelTls(const KtlsRequest& request) {
  ktls_request_ = request;
}

// Called with the handshake complete, or when enough application data has passed. What is left to do here happens in
// Flush() and Read(), when each direction is between two records.
void Engine::ArmKernelTls() {
  ktls_armed_ = true;
  if (!ktls_request_.tx && !ktls_request_.rx) return;
  if (!KernelCryptoInfo::IsEligible(static_cast<uint16_t>(SSL_version(ssl_.get())),
                                    SSL_get_current_cipher(ssl_.get()))) {
    return;
  }
  if (!AttachTls()) return;
  if (ktls_request_.rx) {
    rx_ = RecordLayer::kPending;
    reads_ahead_ = false;
    DrainBuffered();
  }
  if (ktls_request_.tx) tx_ = RecordLayer::kPending;
  // Also where the kernel only receives: later, a send could be told in place of a read what is wrong with a record.
  FlushLibrary();
}

// libssl holds tickets, and the answer to a KeyUpdate, back until the next write, which it will not see any more.
void Engine::FlushLibrary() {
  if (SSL_version(ssl_.get()) != TLS1_3_VERSION) return;
  tickets_sealed_ = true;
  ERR_clear_error();
  SSL_write(ssl_.get(), "", 0);
  ERR_clear_error();
}

// Decrypts what was read along with the handshake's last flight, so that the kernel can begin at the next record. In
// kSettling the rest of a record that has come in part is read, too.
void Engine::DrainBuffered() {
  uint8_t record[SSL3_RT_MAX_PLAIN_LENGTH];
  bool closed = false;
  while (stash_offset_ < stash_.size() || (state_ == State::kSettling && !AtRecordBoundary())) {
    ERR_clear_error();
    const int result = SSL_read(ssl_.get(), record, sizeof(record));
    if (result <= 0) {
      const int error = SSL_get_error(ssl_.get(), result);
      closed = error == SSL_ERROR_ZERO_RETURN && (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
      // An end or an error is met again, and reported, when Read() has delivered what came before it.
      end_pending_ = error != SSL_ERROR_WANT_READ;
      break;
    }
    open_handshake_bytes_ = 0;
    key_update_limit_.Forgive();
    early_plaintext_.insert(early_plaintext_.end(), record, record + result);
  }
  ERR_clear_error();
  OPENSSL_cleanse(record, sizeof(record));
  if (end_pending_ || (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0) {
    rx_error_ = closed ? -ESHUTDOWN : -ECONNABORTED;
    rx_ = RecordLayer::kUserspace;
    reads_ahead_ = true;
  } else if (AtRecordBoundary()) {
    InstallRx();
  }
}

bool Engine::AtRecordBoundary() const {
  return stash_offset_ == stash_.size() && window_offset_ == window_end_ && open_handshake_bytes_ == 0 &&
         !SSL_has_pending(ssl_.get());
}

bool Engine::AttachTls() {
  if (attached_) return true;
  attach_error_ = transport_->AttachTls();
  attached_ = attach_error_ == 0;
  return attached_;
}

void Engine::InstallTx() {
  KernelCryptoInfo info;
  tx_error_ = info.Assign(ssl_.get(), KtlsDirection::kTx) ? transport_->InstallTls(KtlsDirection::kTx, info) : -EINVAL;
  tx_ = tx_error_ == 0 ? RecordLayer::kKernel : RecordLayer::kUserspace;
  if (tx_ == RecordLayer::kKernel) GiveKeysAway(KtlsDirection::kTx, &tx_secret_);
}

void Engine::InstallRx() {
  KernelCryptoInfo info;
  rx_error_ = info.Assign(ssl_.get(), KtlsDirection::kRx) ? transport_->InstallTls(KtlsDirection::kRx, info) : -EINVAL;
  rx_ = rx_error_ == 0 ? RecordLayer::kKernel : RecordLayer::kUserspace;
  reads_ahead_ = rx_ == RecordLayer::kUserspace;
  if (rx_ == RecordLayer::kKernel) GiveKeysAway(KtlsDirection::kRx, &rx_secret_);
}

// The kernel has the keys of a direction. All that may be needed of them again is the secret that the next ones are
// derived from, and that only where there can be next ones.
void Engine::GiveKeysAway(KtlsDirection direction, TrafficSecret* secret) {
  if (ktls_request_.can_rekey && SSL_version(ssl_.get()) == TLS1_3_VERSION) secret->Assign(ssl_.get(), direction);
  ForgetKeys(ssl_.get(), direction);
}

void Engine::CountApplicationData(size_t length) {
  application_bytes_ += length;
  if (!ktls_armed_ && application_bytes_ >= ktls_request_.after_bytes) ArmKernelTls();
}

// Where libssl reads it deals with a KeyUpdate by itself, but it does not count them, and where the kernel sends it cannot
// answer them any more: both are up to us.
void Engine::OnMessage(int is_write, int /*version*/, int content_type, const void* data, size_t length, SSL* /*ssl*/,
                       void* arg) {
  const auto* message = static_cast<const uint8_t*>(data);
  auto* engine = static_cast<Engine*>(arg);
  if (engine->keeps_trace_) engine->trace_.push_back({is_write != 0, content_type, {message, message + length}});
  if (!is_write && SSL_version(engine->ssl_.get()) == TLS1_3_VERSION) engine->CountHandshakeBytes(content_type, message, length);
  if (is_write || content_type != SSL3_RT_HANDSHAKE || length <= kHandshakeHeader) return;
  if (message[0] != SSL3_MT_KEY_UPDATE) return;
  if (!engine->key_update_limit_.Admit()) engine->key_update_storm_ = true;
  if (message[kHandshakeHeader] != SSL_KEY_UPDATE_REQUESTED) return;
  if (engine->tx_ != RecordLayer::kKernel || engine->close_notify_sent()) return;
  if (engine->ktls_request_.can_rekey) {
    engine->QueueKeyUpdate(false);
  } else {
    engine->key_update_refused_ = true;
  }
}

// A handshake message may end in a later record than it begins in; in between the kernel cannot take over. The length of
// what a record holds is that of its body less tag and content type (RFC 8446, section 5.2). Padding counts as an open
// message, until application data shows that there is none.
void Engine::CountHandshakeBytes(int content_type, const uint8_t* data, size_t length) {
  constexpr size_t kRecordOverhead = 16 + 1;
  if (content_type == SSL3_RT_HEADER && length == SSL3_RT_HEADER_LENGTH) {
    const size_t body = static_cast<size_t>(data[3]) << 8 | data[4];
    open_handshake_bytes_ += body - std::min(body, kRecordOverhead);
  } else if (content_type == SSL3_RT_HANDSHAKE) {
    open_handshake_bytes_ -= std::min(open_handshake_bytes_, length);
  }
}

// --- records ---------------------------------------------------------------------------------------------------------

Engine::ReadResult Engine::ReadFromKernel(uint8_t* out, size_t capacity) {
  read_again_ = false;
  for (;;) {
    uint8_t type = 0;
    const ptrdiff_t result = transport_->ReceiveRecord(out, capacity, &type);
    if (result == -EAGAIN) return {ReadStatus::kWantRead, 0};
    if (result < 0) {
      // Or the alert would report it a second time, and not be sent.
      transport_->ForgetError();
      if (result == -EBADMSG) return RefuseRecord("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", SSL_AD_BAD_RECORD_MAC);
      if (result == -EMSGSIZE) return RefuseRecord("DATA_LENGTH_TOO_LONG", SSL_AD_RECORD_OVERFLOW);
      if (result == -EINVAL) return RefuseRecord("WRONG_VERSION_NUMBER", SSL_AD_PROTOCOL_VERSION);
      Fail(TlsError::System("read", static_cast<int>(-result)));
      return {ReadStatus::kError, 0};
    }
    const auto length = static_cast<size_t>(result);
    if (type == 0) {
      saw_eof_ = true;
      return {ReadStatus::kEof, 0};
    }
    if (type != SSL3_RT_HANDSHAKE && type != SSL3_RT_ALERT && !handshake_fragment_.empty()) {
      return RefuseRecord("UNEXPECTED_RECORD", SSL_AD_UNEXPECTED_MESSAGE);
    }
    // An empty record of application data is legal and says nothing (RFC 8446, section 5.4).
    if (type == SSL3_RT_APPLICATION_DATA) {
      if (length == 0) {
        if (++empty_records_in_a_row_ <= kMaxEmptyRecordsInARow) continue;
        return RefuseRecord("TOO_MANY_EMPTY_FRAGMENTS", SSL_AD_UNEXPECTED_MESSAGE);
      }
      key_update_limit_.Forgive();
      empty_records_in_a_row_ = 0;
      // The kernel decrypts ahead, and stops announcing input when it comes upon a KeyUpdate, before it has delivered it.
      read_again_ = ktls_request_.can_rekey && length < capacity;
      warnings_in_a_row_ = 0;
      return {ReadStatus::kData, length};
    }
    const std::optional<ReadResult> end = HandleControlRecord(type, out, length);
    if (end.has_value()) return *end;
  }
}

std::optional<Engine::ReadResult> Engine::HandleControlRecord(uint8_t type, const uint8_t* data, size_t length) {
  if (type == SSL3_RT_ALERT) return HandleAlert(data, length);
  if (type == SSL3_RT_HANDSHAKE) return HandleHandshakeMessages(data, length);
  return RefuseRecord("UNEXPECTED_RECORD", SSL_AD_UNEXPECTED_MESSAGE);
}

std::optional<Engine::ReadResult> Engine::HandleAlert(const uint8_t* data, size_t length) {
  if (length != 2) return RefuseRecord("BAD_ALERT", SSL_AD_DECODE_ERROR);
  const uint8_t level = data[0];
  const uint8_t description = data[1];
  // In TLS 1.3 the description alone tells how bad it is (RFC 8446, section 6).
  const bool tls13 = SSL_version(ssl_.get()) == TLS1_3_VERSION;
  const bool warning = tls13 ? description == SSL_AD_CLOSE_NOTIFY || description == SSL_AD_USER_CANCELLED
                             : level == SSL3_AL_WARNING;
  if (warning) {
    if (description == SSL_AD_CLOSE_NOTIFY) return ReadResult{ReadStatus::kCloseNotify, 0};
    if (++warnings_in_a_row_ <= kMaxWarningsInARow) return std::nullopt;
    return RefuseRecord("TOO_MANY_WARNING_ALERTS", SSL_AD_UNEXPECTED_MESSAGE);
  }
  if (!tls13 && level != SSL3_AL_FATAL) return RefuseRecord("UNKNOWN_ALERT_TYPE", SSL_AD_ILLEGAL_PARAMETER);
  last_alert_ = {Alert::Direction::kReceived, level, description};
  TlsError error;
  error.kind = TlsError::Kind::kProtocol;
  const char* reason = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, SSL_AD_REASON_OFFSET + description));
  error.reason = reason == nullptr ? "UNKNOWN_ALERT_TYPE" : reason;
  error.library = kSslLibrary;
  Fail(std::move(error));
  return ReadResult{ReadStatus::kError, 0};
}

std::optional<Engine::ReadResult> Engine::HandleHandshakeMessages(const uint8_t* data, size_t length) {
  const bool tls13 = SSL_version(ssl_.get()) == TLS1_3_VERSION;
  handshake_fragment_.insert(handshake_fragment_.end(), data, data + length);
  while (handshake_fragment_.size() >= kHandshakeHeader) {
    const size_t total = MessageLength(handshake_fragment_);
    const uint8_t type = handshake_fragment_[0];
    // All that TLS 1.2 has to say after the handshake is that it wants another one.
    if (!tls13 && config_.is_server) return RefuseRecord("NO_RENEGOTIATION", SSL_AD_NO_RENEGOTIATION);
    if (total > kMaxHandshakeMessage) return RefuseRecord("EXCESSIVE_MESSAGE_SIZE", SSL_AD_ILLEGAL_PARAMETER);
    if (handshake_fragment_.size() < total) return std::nullopt;
    if (!tls13) {
      return type == SSL3_MT_HELLO_REQUEST && total == kHandshakeHeader
                 ? RefuseRecord("NO_RENEGOTIATION", SSL_AD_NO_RENEGOTIATION)
                 : RefuseRecord("BAD_HELLO_REQUEST", SSL_AD_DECODE_ERROR);
    }
    if (type == SSL3_MT_KEY_UPDATE) {
      // Everything behind it is under other keys, so nothing may share its record (RFC 8446, section 5.1).
      if (handshake_fragment_.size() > total) return RefuseRecord("EXCESS_HANDSHAKE_DATA", SSL_AD_UNEXPECTED_MESSAGE);
      const std::vector<uint8_t> message = std::exchange(handshake_fragment_, {});
      return HandleKeyUpdate(message.data() + kHandshakeHeader, message.size() - kHandshakeHeader);
    }
    if (type != SSL3_MT_NEW_SESSION_TICKET || config_.is_server) {
      return RefuseRecord("UNEXPECTED_MESSAGE", SSL_AD_UNEXPECTED_MESSAGE);
    }
    ERR_clear_error();
    bssl::UniquePtr<SSL_SESSION> session(
        SSL_process_tls13_new_session_ticket(ssl_.get(), handshake_fragment_.data(), total));
    ERR_clear_error();
    if (session == nullptr) return RefuseRecord("DECODE_ERROR", SSL_AD_DECODE_ERROR);
    KeepSession(session.get());
    handshake_fragment_.erase(handshake_fragment_.begin(),
                              handshake_fragment_.begin() + static_cast<ptrdiff_t>(total));
  }
  return std::nullopt;
}

// --- KeyUpdate -------------------------------------------------------------------------------------------------------

std::optional<Engine::ReadResult> Engine::HandleKeyUpdate(const uint8_t* body, size_t length) {
  if (length != 1 || body[0] > SSL_KEY_UPDATE_REQUESTED) return RefuseRecord("DECODE_ERROR", SSL_AD_ILLEGAL_PARAMETER);
  if (!ktls_request_.can_rekey) return RefuseRecord(kKtlsKeyUpdate, SSL_AD_INTERNAL_ERROR);
  if (!key_update_limit_.Admit()) return RefuseKeyUpdateStorm();
  if (!Rekey(KtlsDirection::kRx, &rx_secret_)) return RefuseRecord(kKtlsKeyUpdate, SSL_AD_INTERNAL_ERROR);
  // Who sends nothing any more owes no answer: it would come before "its next Application Data record".
  if (body[0] == SSL_KEY_UPDATE_REQUESTED && !close_notify_sent() && !QueueKeyUpdate(false)) {
    return RefuseRecord(kKtlsKeyUpdate, SSL_AD_INTERNAL_ERROR);
  }
  return std::nullopt;
}

Engine::ReadResult Engine::RefuseKeyUpdateStorm() {
  return RefuseRecord("TOO_MANY_KEY_UPDATES", SSL_AD_UNEXPECTED_MESSAGE);
}

bool Engine::UpdateKeys() {
  ERR_clear_error();
  if (state_ != State::kOpen || SSL_version(ssl_.get()) != TLS1_3_VERSION || close_notify_sent()) {
    OPENSSL_PUT_ERROR(SSL, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
    return false;
  }
  if (tx_ == RecordLayer::kKernel && !ktls_request_.can_rekey) {
    OPENSSL_PUT_ERROR(SSL, SSL_R_WRONG_VERSION_NUMBER);
    return false;
  }
  return QueueKeyUpdate(true);
}

// One KeyUpdate answers any number of requests (RFC 8446, section 4.6.3).
bool Engine::QueueKeyUpdate(bool request_answer) {
  records_sealed_ = 0;
  if (tx_ != RecordLayer::kKernel) {
    return SendKeyUpdateFromLibrary(request_answer ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
  }
  key_update_queued_ = true;
  key_update_asks_ = key_update_asks_ || request_answer;
  return true;
}

bool Engine::SendKeyUpdateFromLibrary(int request) {
  // libssl sends it with the next write.
  return SSL_key_update(ssl_.get(), request) == 1 && SSL_write(ssl_.get(), "", 0) >= 0;
}

// Everything written before has been handed to the kernel under the old keys.
Engine::FlushStatus Engine::FlushKeyUpdate() {
  const uint8_t message[] = {SSL3_MT_KEY_UPDATE, 0, 0, 1,
                             static_cast<uint8_t>(key_update_asks_ ? SSL_KEY_UPDATE_REQUESTED
                                                                   : SSL_KEY_UPDATE_NOT_REQUESTED)};
  ptrdiff_t result = transport_->SendRecord(SSL3_RT_HANDSHAKE, message, sizeof(message));
  if (result == -EAGAIN) return FlushStatus::kBlocked;
  key_update_queued_ = false;
  key_update_asks_ = false;
  if (result >= 0 && Rekey(KtlsDirection::kTx, &tx_secret_)) return FlushStatus::kDone;
  if (result >= 0) result = tx_error_;
  if (state_ != State::kFailed) Fail(TlsError::System("write", static_cast<int>(-result)));
  return FlushStatus::kError;
}

bool Engine::Rekey(KtlsDirection direction, TrafficSecret* secret) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
  KernelCryptoInfo info;
  if (!secret->Advance(cipher) || !info.AssignTls13(cipher, secret->bytes(), 0)) return false;
  const int error = transport_->InstallTls(direction, info);
  (direction == KtlsDirection::kTx ? tx_error_ : rx_error_) = error;
  return error == 0;
}

// The AEAD's limit is one of records; nothing but the amount sent is known of those that the kernel makes.
void Engine::CountSealedRecords(size_t length) {
  records_sealed_ += (length + SSL3_RT_MAX_PLAIN_LENGTH - 1) / SSL3_RT_MAX_PLAIN_LENGTH;
  if (records_sealed_ < ktls_request_.records_per_key || SSL_version(ssl_.get()) != TLS1_3_VERSION) return;
  if (tx_ != RecordLayer::kKernel || ktls_request_.can_rekey) QueueKeyUpdate(false);
}

void Engine::DiscardInput() {
  constexpr int kMaxReads = 16;
  if (transport_ == nullptr || saw_eof_ || !close_notify_sent()) return;
  std::vector<uint8_t>& inbound = scratch_->inbound;
  for (int i = 0; i < kMaxReads; i++) {
    uint8_t type = 0;
    const ptrdiff_t result = rx_ == RecordLayer::kKernel
                                 ? transport_->ReceiveRecord(inbound.data(), inbound.size(), &type)
                                 : transport_->Receive(inbound.data(), inbound.size());
    if (result < 0 || (result == 0 && type == 0)) return;
  }
}

// Refuses what the peer sent, with an alert if one can still be sent.
Engine::ReadResult Engine::RefuseRecord(const char* reason, uint8_t alert) {
  if (last_alert_.direction == Alert::Direction::kSent) {
    // libssl has refused it already.
  } else if (tx_ == RecordLayer::kKernel) {
    last_alert_ = {Alert::Direction::kSent, SSL3_AL_FATAL, alert};
    SendAlertThroughKernel(SSL3_AL_FATAL, alert);
  } else {
    SSL_send_fatal_alert(ssl_.get(), alert);
  }
  ERR_clear_error();
  TlsError error;
  error.kind = TlsError::Kind::kProtocol;
  error.reason = reason;
  error.library = kSslLibrary;
  Fail(std::move(error));
  return {ReadStatus::kError, 0};
}

void Engine::RefusePeer(uint8_t alert) {
  if (state_ == State::kOpen) RefuseRecord("CONNECTION_REJECTED", alert);
}

void Engine::SendAlertThroughKernel(uint8_t level, uint8_t description) {
  // Behind data that waits, the alert would have to wait as well, and nothing is sent after a failure.
  if (HasUnsent() || lent_) return;
  const uint8_t alert[2] = {level, description};
  transport_->SendRecord(SSL3_RT_ALERT, alert, sizeof(alert));
}

void Engine::TakeTransportBack(size_t sent) {
  lent_ = false;
  bytes_sent_ += sent;
  CountSealedRecords(sent);
}

void Engine::FailToSend(int error) {
  if (state_ != State::kFailed) Fail(TlsError::System("write", error));
}

// Naming a record's type ends the one before, and nothing makes no new one. Where the socket is full the kernel sends it
// later by itself.
void Engine::PushOpenRecord() { transport_->SendRecord(SSL3_RT_APPLICATION_DATA, nullptr, 0); }

Engine::FlushStatus Engine::FlushCloseNotify() {
  if (!transport_->HasRoomToEnd()) return FlushStatus::kBlocked;
  const uint8_t alert[2] = {SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY};
  const ptrdiff_t result = transport_->SendRecord(SSL3_RT_ALERT, alert, sizeof(alert));
  if (result == -EAGAIN) return FlushStatus::kBlocked;
  close_notify_queued_ = false;
  close_notify_sent_by_kernel_ = true;
  // A peer that has gone misses nothing but this.
  return FlushStatus::kDone;
}

}  // namespace aws_lc
