#include "engine.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace aws_lc {
namespace {

// Memory kept for ciphertext between steps; more than this is given back when it has been sent.
constexpr size_t kRetainedOutbound = 512 * 1024;

// Bytes given to a kernel that seals them, before it is asked whether anybody is there to have them.
constexpr size_t kWatchEvery = 256 * 1024;

int EngineIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

Engine::Engine(const EngineConfig& config, ScratchBuffers* scratch)
    : config_(config), scratch_(scratch), ssl_(SSL_new(config.ctx)), alpn_(config.alpn) {
  if (ssl_ == nullptr) {
    FailFromLibrary();
    return;
  }
  SSL_set_ex_data(ssl_.get(), EngineIndex(), this);
  SSL_set_msg_callback(ssl_.get(), OnMessage);
  SSL_set_msg_callback_arg(ssl_.get(), this);
  if (config.ticket_keys != nullptr) TicketKeySet::Attach(ssl_.get(), config.ticket_keys.get());
  BIO* bio = BIO_new(BioMethod());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_shed_handshake_config(ssl_.get(), 1);
  if (config.is_server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

Engine::~Engine() = default;

Engine* Engine::From(const SSL* ssl) { return static_cast<Engine*>(SSL_get_ex_data(ssl, EngineIndex())); }

void Engine::InstallCallbacks(SSL_CTX* ctx) {
  SSL_CTX_set_info_callback(ctx, OnInfo);
  SSL_CTX_sess_set_new_cb(ctx, OnNewSession);
}

void Engine::InstallServerCallbacks(SSL_CTX* ctx) {
  SSL_CTX_set_select_certificate_cb(ctx, OnClientHello);
  SSL_CTX_set_alpn_select_cb(ctx, OnSelectAlpn, nullptr);
}

// --- transport -------------------------------------------------------------------------------------------------------

const BIO_METHOD* Engine::BioMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* created = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "node-aws-lc transport");
    BIO_meth_set_read(created, BioRead);
    BIO_meth_set_write(created, BioWrite);
    BIO_meth_set_ctrl(created, BioCtrl);
    return created;
  }();
  return method;
}

long Engine::BioCtrl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// Never blocks: bytes are collected and Flush() deals with the transport.
int Engine::BioWrite(BIO* bio, const char* data, int length) {
  auto* engine = static_cast<Engine*>(BIO_get_data(bio));
  // libssl's keys are no longer the connection's; what it has to say goes through the kernel.
  if (engine->tx_ == RecordLayer::kKernel) return length;
  std::vector<uint8_t>& outbound = engine->scratch_->outbound;
  const auto* bytes = reinterpret_cast<const uint8_t*>(data);
  outbound.insert(outbound.end(), bytes, bytes + length);
  return length;
}

int Engine::BioRead(BIO* bio, char* out, int length) {
  BIO_clear_retry_flags(bio);
  auto* engine = static_cast<Engine*>(BIO_get_data(bio));
  const int count = engine->ReadTransport(reinterpret_cast<uint8_t*>(out), static_cast<size_t>(length));
  if (count == -EAGAIN) BIO_set_retry_read(bio);
  return count < 0 ? -1 : count;
}

int Engine::ReadTransport(uint8_t* out, size_t length) {
  // Ends the read that libssl is in the middle of, which would go on to the next KeyUpdate.
  if (key_update_storm_) return -ECONNABORTED;
  if (stash_offset_ < stash_.size()) {
    const size_t count = std::min(length, stash_.size() - stash_offset_);
    std::memcpy(out, stash_.data() + stash_offset_, count);
    stash_offset_ += count;
    if (stash_offset_ == stash_.size()) {
      std::vector<uint8_t>().swap(stash_);
      stash_offset_ = 0;
    }
    return static_cast<int>(count);
  }
  if (window_offset_ == window_end_) {
    if (saw_eof_) return 0;
    if (drained_) return -EAGAIN;
    std::vector<uint8_t>& inbound = scratch_->inbound;
    const size_t room = inbound.size() - open_record_bytes_;
    const ptrdiff_t count =
        reads_ahead_ ? transport_->Receive(inbound.data(), room) : transport_->Receive(out, length);
    if (count < 0) {
      if (count != -EAGAIN) receive_errno_ = static_cast<int>(-count);
      return static_cast<int>(count);
    }
    if (count == 0) saw_eof_ = true;
    if (count == 0 || !reads_ahead_) return static_cast<int>(count);
    // A short read has emptied the transport: asking again in this step would cost a system call to learn nothing. What
    // a second one brings would be more than the caller's buffer takes, and would have to be kept.
    received_all_ = static_cast<size_t>(count) < room;
    drained_ = state_ == State::kOpen || received_all_;
    window_offset_ = 0;
    window_end_ = static_cast<size_t>(count);
  }
  const size_t count = std::min(length, window_end_ - window_offset_);
  std::memcpy(out, scratch_->inbound.data() + window_offset_, count);
  window_offset_ += count;
  CountOpenRecord(count, length);
  return static_cast<int>(count);
}

// libssl asks for a record's header and then for its body. No more than a hint: what it takes from the stash is not
// counted, nor is a record without a body.
void Engine::CountOpenRecord(size_t count, size_t wanted) {
  const size_t whole = open_record_bytes_ + wanted;
  open_record_bytes_ += count;
  if (open_record_bytes_ > SSL3_RT_MAX_ENCRYPTED_LENGTH + SSL3_RT_HEADER_LENGTH ||
      (whole > SSL3_RT_HEADER_LENGTH && open_record_bytes_ == whole)) {
    open_record_bytes_ = 0;
  }
}

// Ends a step: another connection uses the shared buffer next.
void Engine::EndInput() {
  if (window_offset_ < window_end_) {
    const uint8_t* rest = scratch_->inbound.data();
    stash_.insert(stash_.end(), rest + window_offset_, rest + window_end_);
  }
  window_offset_ = window_end_ = 0;
  drained_ = false;
}

void Engine::Prepend(const uint8_t* data, size_t length) {
  stash_.insert(stash_.end(), data, data + length);
}

bool Engine::HasBufferedInput() const {
  return end_pending_ || read_again_ || early_offset_ < early_plaintext_.size() || stash_offset_ < stash_.size() || (ssl_ != nullptr && SSL_pending(ssl_.get()) > 0);
}

Engine::FlushStatus Engine::Flush() {
  if (lent_) return FlushStatus::kBlocked;
  std::vector<uint8_t>& outbound = scratch_->outbound;
  const uint8_t* data = outbound.data();
  size_t length = outbound.size();
  const bool queued = unsent_offset_ < unsent_.size();
  if (queued) {
    unsent_.insert(unsent_.end(), outbound.begin(), outbound.end());
    outbound.clear();
    data = unsent_.data() + unsent_offset_;
    length = unsent_.size() - unsent_offset_;
  }
  size_t sent = 0;
  ptrdiff_t result = 0;
  while (sent < length) {
    result = transport_->Send(data + sent, length - sent);
    if (result < 0) break;
    sent += static_cast<size_t>(result);
  }
  bytes_sent_ += sent;
  if (queued) {
    unsent_offset_ += sent;
  } else if (sent < length) {
    unsent_.assign(data + sent, data + length);
    unsent_offset_ = 0;
  }
  outbound.clear();
  if (outbound.capacity() > kRetainedOutbound) std::vector<uint8_t>().swap(outbound);
  if (unsent_offset_ == unsent_.size() && !unsent_.empty()) {
    std::vector<uint8_t>().swap(unsent_);
    unsent_offset_ = 0;
  }
  if (sent == length) {
    // While the state is settling, a KeyUpdate in the record that RX waits for is for libssl to answer.
    if (tx_ == RecordLayer::kPending &&
        (state_ == State::kOpen || (state_ == State::kSettling && rx_ != RecordLayer::kPending))) {
      FlushLibrary();
      if (!outbound.empty()) return Flush();
      InstallTx();
    }
    if (state_ == State::kSettling && IsSettled()) state_ = State::kOpen;
    if (key_update_queued_) {
      const FlushStatus status = FlushKeyUpdate();
      if (status != FlushStatus::kDone) return status;
    }
    return close_notify_queued_ ? FlushCloseNotify() : FlushStatus::kDone;
  }
  if (result == -EAGAIN) return FlushStatus::kBlocked;
  if (close_notify_sent()) {
    // Nothing but the close_notify is lost, and what the peer sent before it went is still to be read.
    std::vector<uint8_t>().swap(unsent_);
    unsent_offset_ = 0;
    return FlushStatus::kDone;
  }
  if (state_ != State::kFailed) Fail(TlsError::System("write", static_cast<int>(-result)));
  return FlushStatus::kError;
}

void Engine::Hold() {
  std::vector<uint8_t>& outbound = scratch_->outbound;
  unsent_.insert(unsent_.end(), outbound.begin(), outbound.end());
  outbound.clear();
}

// --- handshake -------------------------------------------------------------------------------------------------------

void Engine::Handshake() {
  if (state_ == State::kFailed || state_ == State::kOpen) return;
  if (state_ == State::kSettling) {
    if (rx_ == RecordLayer::kPending) DrainBuffered();
    return;
  }
  if (state_ == State::kWaiting && !answer_.has_value()) return;
  if (answer_.has_value() && answer_->alert.has_value()) {
    Refuse(*answer_->alert);
    return;
  }
  state_ = State::kHandshake;
  question_ = {};
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  EndInput();
  if (result == 1 && JudgeResumedPeer() && StoreSession()) {
    CompleteHandshake();
    return;
  }
  if (question_.kind != QuestionKind::kNone) {
    state_ = State::kWaiting;
    return;
  }
  if (state_ == State::kFailed) return;
  const int error = SSL_get_error(ssl_.get(), result);
  // A close_notify says what a FIN says: the peer has hung up.
  if (error == SSL_ERROR_ZERO_RETURN) return Fail(TlsError::Eof());
  if (error != SSL_ERROR_WANT_READ) FailFromLibrary();
}

void Engine::CompleteHandshake() {
  state_ = State::kOpen;
  open_handshake_bytes_ = 0;
  if (ktls_request_.after_bytes > 0) return;
  ArmKernelTls();
  if (ktls_request_.settle_first && !IsSettled()) state_ = State::kSettling;
}

// --- records ---------------------------------------------------------------------------------------------------------

Engine::ReadResult Engine::Read(uint8_t* out, size_t capacity) {
  if (state_ == State::kFailed) return {ReadStatus::kError, 0};
  if (early_offset_ < early_plaintext_.size()) {
    const size_t count = std::min(capacity, early_plaintext_.size() - early_offset_);
    std::memcpy(out, early_plaintext_.data() + early_offset_, count);
    early_offset_ += count;
    if (early_offset_ == early_plaintext_.size()) std::vector<uint8_t>().swap(early_plaintext_);
    return {ReadStatus::kData, count};
  }
  received_all_ = true;
  const ReadResult result =
      rx_ == RecordLayer::kKernel ? ReadFromKernel(out, capacity) : ReadFromLibrary(out, capacity);
  if (result.status == ReadStatus::kData) CountApplicationData(result.length);
  if (rx_ == RecordLayer::kPending && state_ == State::kOpen && AtRecordBoundary() && !key_update_refused_) InstallRx();
  return result;
}

Engine::ReadResult Engine::ReadFromLibrary(uint8_t* out, size_t capacity) {
  size_t total = 0;
  ReadStatus end = ReadStatus::kWantRead;
  while (total < capacity) {
    ERR_clear_error();
    const int result = SSL_read(ssl_.get(), out + total, static_cast<int>(capacity - total));
    if (result > 0) {
      total += static_cast<size_t>(result);
      open_handshake_bytes_ = 0;
      key_update_limit_.Forgive();
      if (rx_ == RecordLayer::kPending && AtRecordBoundary()) break;
      // libssl would only come to the same by asking for more.
      if (drained_ && window_offset_ == window_end_ && SSL_pending(ssl_.get()) == 0) break;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ) break;
    if (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN && error == SSL_ERROR_ZERO_RETURN) {
      end = ReadStatus::kCloseNotify;
    } else if (saw_eof_) {
      end = ReadStatus::kEof;
    } else {
      end = ReadStatus::kError;
    }
    break;
  }
  EndInput();
  // What came before an end or an error is delivered first; the next call meets the same end again.
  end_pending_ = total > 0 && (end != ReadStatus::kWantRead || key_update_refused_);
  if (total > 0) return {ReadStatus::kData, total};
  if (key_update_storm_) return RefuseKeyUpdateStorm();
  if (end == ReadStatus::kError) FailFromLibrary();
  if (key_update_refused_) return RefuseRecord(kKtlsKeyUpdate, SSL_AD_INTERNAL_ERROR);
  return {end, 0};
}

size_t Engine::Seal(const uint8_t* data, size_t length) {
  if (tx_ == RecordLayer::kKernel) return SendPlaintext(data, length);
  ERR_clear_error();
  const int chunk = static_cast<int>(std::min<size_t>(length, SSL3_RT_MAX_PLAIN_LENGTH));
  const int result = SSL_write(ssl_.get(), data, chunk);
  if (result > 0) {
    CountApplicationData(static_cast<size_t>(result));
    CountSealedRecords(static_cast<size_t>(result));
    return static_cast<size_t>(result);
  }
  FailFromLibrary();
  return 0;
}

// Straight from where it lies; what the socket does not take now is kept until Flush(), a record's worth at most.
size_t Engine::SendPlaintext(const uint8_t* data, size_t length) {
  std::vector<uint8_t>& outbound = scratch_->outbound;
  if (!HasUnsent() && outbound.empty()) {
    const ptrdiff_t sent = transport_->Send(data, length);
    if (sent > 0) {
      bytes_sent_ += static_cast<uint64_t>(sent);
      CountSealedRecords(static_cast<size_t>(sent));
      unwatched_bytes_ += static_cast<size_t>(sent);
      if (unwatched_bytes_ >= kWatchEvery) {
        unwatched_bytes_ = 0;
        if (transport_->IsGone()) {
          Fail(TlsError::System("write", EPIPE));
          return 0;
        }
      }
      return static_cast<size_t>(sent);
    }
    if (sent < 0 && sent != -EAGAIN) {
      Fail(TlsError::System("write", static_cast<int>(-sent)));
      return 0;
    }
  }
  const size_t kept = std::min<size_t>(length, SSL3_RT_MAX_PLAIN_LENGTH);
  CountSealedRecords(kept);
  outbound.insert(outbound.end(), data, data + kept);
  return kept;
}

void Engine::SealTickets() {
  if (state_ != State::kOpen || records_sealed_ > 0 || tickets_sealed_ || close_notify_sent()) return;
  FlushLibrary();
}

bool Engine::SealCloseNotify() {
  if (state_ != State::kOpen || close_notify_sent()) return false;
  if (tx_ == RecordLayer::kKernel) {
    close_notify_queued_ = true;
    return true;
  }
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  return close_notify_sent();
}

bool Engine::close_notify_sent() const {
  if (close_notify_queued_ || close_notify_sent_by_kernel_) return true;
  return (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0;
}

// --- events ----------------------------------------------------------------------------------------------------------

void Engine::OnInfo(const SSL* ssl, int type, int value) {
  Engine* engine = From(ssl);
  if (type == SSL_CB_HANDSHAKE_DONE && engine != nullptr) engine->RememberSharedSigalgs();
  if ((type & SSL_CB_ALERT) == 0) return;
  // close_notify is the ordinary end and explains no failure.
  if (engine == nullptr || (value & 0xff) == SSL_AD_CLOSE_NOTIFY) return;
  engine->last_alert_.direction = (type & SSL_CB_READ) != 0 ? Alert::Direction::kReceived : Alert::Direction::kSent;
  engine->last_alert_.level = static_cast<uint8_t>(value >> 8);
  engine->last_alert_.description = static_cast<uint8_t>(value & 0xff);
  if (engine->tx_ == RecordLayer::kKernel && engine->last_alert_.direction == Alert::Direction::kSent) {
    engine->SendAlertThroughKernel(engine->last_alert_.level, engine->last_alert_.description);
  }
}

// libssl forgets what the peer accepts with the handshake. One bit for each of ours keeps it without an allocation.
void Engine::RememberSharedSigalgs() {
  const uint16_t* theirs = nullptr;
  const size_t count = SSL_get0_peer_verify_algorithms(ssl_.get(), &theirs);
  const std::span<const uint16_t> own = SigningAlgorithms(config_.sigalgs);
  shared_sigalgs_ = 0;
  for (size_t i = 0; i < own.size() && i < 32; i++) {
    if (std::find(theirs, theirs + count, own[i]) != theirs + count) shared_sigalgs_ |= uint32_t{1} << i;
  }
}

std::vector<uint16_t> Engine::SharedSigalgs() const {
  std::vector<uint16_t> shared;
  const std::span<const uint16_t> own = SigningAlgorithms(config_.sigalgs);
  for (size_t i = 0; i < own.size() && i < 32; i++) {
    if ((shared_sigalgs_ >> i & 1) != 0) shared.push_back(own[i]);
  }
  return shared;
}

bool Engine::SetMaxSendFragment(size_t length) {
  // The kernel cuts records as it likes, and who insists on it has the last word.
  if (tx_ != RecordLayer::kUserspace || (ktls_request_.tx && ktls_request_.settle_first)) return false;
  ktls_request_.tx = false;
  return SSL_set_max_send_fragment(ssl_.get(), length) == 1;
}

// libssl forms the lines only once somebody of the context has asked for them.
void Engine::KeepKeyLog() {
  keeps_key_log_ = true;
  SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(ssl_.get()), OnKeyLog);
}

void Engine::OnKeyLog(const SSL* ssl, const char* line) {
  Engine* engine = From(ssl);
  if (engine != nullptr && engine->keeps_key_log_) engine->key_log_.emplace_back(line);
}

std::vector<std::string> Engine::TakeKeyLog() { return std::exchange(key_log_, {}); }

std::vector<TracedMessage> Engine::TakeTrace() { return std::exchange(trace_, {}); }

void Engine::FailFromLibrary() {
  if (chain_verified_ && RefusesChain()) {
    ERR_clear_error();
    TlsError error;
    error.kind = TlsError::Kind::kVerification;
    error.verify_result = verify_result_;
    Fail(std::move(error));
    return;
  }
  if (receive_errno_ != 0) {
    ERR_clear_error();
    Fail(TlsError::System("read", receive_errno_));
    return;
  }
  const TlsError error = TlsError::FromErrorQueue();
  // libssl names every end of stream after its own fashion; users want to know that the peer hung up. A warning that
  // came before is no reason to.
  Fail(saw_eof_ && last_alert_.level != SSL3_AL_FATAL ? TlsError::Eof() : error);
}

void Engine::Fail(TlsError error) {
  error.alert = last_alert_;
  error_ = std::move(error);
  state_ = State::kFailed;
}

}  // namespace aws_lc
