#include "connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "credentials.h"
#include "js_values.h"
#include "socket_options.h"
#include "js_error.h"
#include "signature.h"

namespace aws_lc {
namespace {

// Plaintext sealed in one turn of the event loop before the other connections are served.
constexpr size_t kSealPerTurn = 1024 * 1024;
// Plaintext delivered in one turn, likewise.
constexpr size_t kDeliverPerTurn = 256 * 1024;
// Ciphertext collected before it is flushed: sixteen full records a system call. Each one wakes the peer.
constexpr size_t kFlushThreshold = 16 * SSL3_RT_MAX_PLAIN_LENGTH;

Napi::Value OrNull(Napi::Env env, const char* text) {
  return text == nullptr ? env.Null() : Napi::Value(Napi::String::New(env, text));
}

}  // namespace

Napi::Function Connection::Define(Napi::Env env) {
  return DefineClass(env, "Connection",
                     {
                         InstanceMethod<&Connection::Start>("start"),
                         InstanceMethod<&Connection::AnswerQuestion>("answer"),
                         InstanceMethod<&Connection::UseContext>("useContext"),
                         InstanceMethod<&Connection::EnableTrace>("enableTrace"),
                         InstanceMethod<&Connection::LocalCertificates>("localCertificates"),
                         InstanceMethod<&Connection::ReadStart>("readStart"),
                         InstanceMethod<&Connection::ReadStop>("readStop"),
                         InstanceMethod<&Connection::Deliver>("deliver"),
                         InstanceMethod<&Connection::Write>("write"),
                         InstanceMethod<&Connection::WriteSlab>("writeSlab"),
                         InstanceMethod<&Connection::SendFile>("sendFile"),
                         InstanceMethod<&Connection::CancelFile>("cancelFile"),
                         InstanceMethod<&Connection::SendTickets>("sendTickets"),
                         InstanceMethod<&Connection::Shutdown>("shutdown"),
                         InstanceMethod<&Connection::Refuse>("refuse"),
                         InstanceMethod<&Connection::Close>("close"),
                         InstanceMethod<&Connection::Reset>("reset"),
                         InstanceMethod<&Connection::OpenPlaintextSocket>("openPlaintextSocket"),
                         InstanceMethod<&Connection::PumpedBytes>("pumpedBytes"),
                         InstanceMethod<&Connection::Feed>("feed"),
                         InstanceMethod<&Connection::FeedEof>("feedEof"),
                         InstanceMethod<&Connection::Delivered>("delivered"),
                         InstanceMethod<&Connection::LastError>("lastError"),
                         InstanceMethod<&Connection::Details>("details"),
                         InstanceMethod<&Connection::PeerCertificates>("peerCertificates"),
                         InstanceMethod<&Connection::VerifiedCertificates>("verifiedCertificates"),
                         InstanceMethod<&Connection::Session>("session"),
                         InstanceMethod<&Connection::OffersSingleUse>("offersSingleUse"),
                         InstanceMethod<&Connection::ExportKeyingMaterial>("exportKeyingMaterial"),
                         InstanceMethod<&Connection::UpdateKeys>("updateKeys"),
                         InstanceMethod<&Connection::KernelTls>("kernelTls"),
                         InstanceMethod<&Connection::BytesSent>("bytesSent"),
                         InstanceMethod<&Connection::TicketOf>("ticketOf"),
                         InstanceMethod<&Connection::SharedSigalgs>("sharedSigalgs"),
                         InstanceMethod<&Connection::SetMaxSendFragment>("setMaxSendFragment"),
                         InstanceMethod<&Connection::Finished>("finished"),
                         InstanceMethod<&Connection::PeerFinished>("peerFinished"),
                         InstanceMethod<&Connection::PeerName>("peerName"),
                         InstanceMethod<&Connection::SocketName>("socketName"),
                         InstanceMethod<&Connection::SetNoDelay>("setNoDelay"),
                         InstanceMethod<&Connection::SetKeepAlive>("setKeepAlive"),
                         InstanceMethod<&Connection::SetReferenced>("setReferenced"),
                     });
}

Connection::Step::Step(Connection* connection, bool from_js)
    : connection_(connection), outer_from_js_(connection->from_js_) {
  connection->depth_++;
  connection->from_js_ = from_js;
}

Connection::Step::~Step() {
  while (connection_->depth_ == 1 && connection_->IsOpen() && std::exchange(connection_->repeat_, false)) {
    connection_->Process(true, true);
  }
  if (connection_->depth_ == 1) connection_->EmitTrace();
  connection_->from_js_ = outer_from_js_;
  if (--connection_->depth_ > 0) return;
  if (connection_->close_requested_) {
    connection_->CloseNow();
  } else {
    connection_->UpdateInterest();
  }
}

Connection::Connection(const Napi::CallbackInfo& info)
    : Wrapped(info), env_data_(EnvData::From(info.Env())->shared_from_this()) {
  const auto context_object = info[0].As<Napi::Object>();
  Context* context = Context::Unwrap(context_object);
  // A worker that is being terminated answers no questions.
  if (context == nullptr) return;
  context_reference_ = Napi::Persistent(context_object);
  engine_ = std::make_unique<Engine>(context->config(), env_data_->scratch());
  if (info[1].IsObject()) RequestKernelTls(info[1].As<Napi::Object>());
  if (info[2].IsObject()) Narrow(info[2].As<Napi::Object>());
  if (ToBoolean(info[3])) engine_->KeepKeyLog();
  if (info[4].IsObject()) BecomeClient(info[4].As<Napi::Object>());
}

Connection::~Connection() { env_data_->Remove(this); }

void Connection::BecomeClient(const Napi::Object& options) {
  if (const Napi::Value name = GetOption(options, "servername"); !name.IsEmpty()) {
    SSL_set_tlsext_host_name(engine_->ssl(), ToText(name).c_str());
  }
  if (const Napi::Value alpn = GetOption(options, "alpn"); !alpn.IsEmpty()) {
    const ByteView wire = ToBytes(alpn);
    SSL_set_alpn_protos(engine_->ssl(), wire.data(), wire.size());
  }
  if (const Napi::Value identity = GetOption(options, "serverIdentity"); !identity.IsEmpty()) {
    engine_->BindSession(ToText(identity));
  }
  if (const Napi::Value session = GetOption(options, "session"); !session.IsEmpty()) {
    const ByteView bytes = ToBytes(session);
    if (!engine_->OfferSession(bytes.data(), bytes.size())) {
      ThrowFromErrorQueue(options.Env(), "session");
      return;
    }
  }
  engine_->set_keeps_sessions(true);
}

void Connection::Narrow(const Napi::Object& narrowed) {
  SSL_set_min_proto_version(engine_->ssl(), static_cast<uint16_t>(GetInteger(narrowed, "minVersion")));
  if (const Napi::Value list = GetOption(narrowed, "cipherList"); !list.IsEmpty()) {
    SSL_set_strict_cipher_list(engine_->ssl(), ToText(list).c_str());
  }
}

void Connection::RequestKernelTls(const Napi::Object& request) {
  KtlsRequest ktls;
  ktls.tx = GetBoolean(request, "tx");
  ktls.rx = GetBoolean(request, "rx");
  ktls.after_bytes = static_cast<uint64_t>(GetInteger(request, "afterBytes"));
  ktls.can_rekey = GetBoolean(request, "canRekey");
  ktls.settle_first = GetBoolean(request, "settleFirst");
  engine_->RequestKernelTls(ktls);
}

// start(owner, fd or -1, early ciphertext or undefined)
void Connection::Start(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return;
  const int fd = ToInteger<int>(info[1]);
  if (fd >= 0) {
    int error = 0;
    fd_transport_ = FdTransport::Open(env_data_.get(), fd, this, &error);
    if (fd_transport_ == nullptr) {
      ThrowSystemError(info.Env(), error);
      return;
    }
    engine_->set_transport(fd_transport_.get());
  } else {
    memory_transport_ = std::make_unique<MemoryTransport>();
    engine_->set_transport(memory_transport_.get());
  }
  owner_ = Napi::Persistent(info[0].As<Napi::Object>());
  Ref();
  env_data_->Add(this);
  napi_async_init(info.Env(), info[0], Napi::String::New(info.Env(), "TLSSTREAM"), &async_context_);
  if (info[2].IsTypedArray()) {
    const ByteView early = ToBytes(info[2]);
    engine_->Prepend(early.data(), early.size());
  }
  Step step(this, true);
  ContinueHandshake();
}

// --- events ----------------------------------------------------------------------------------------------------------

void Connection::OnReady(bool readable, bool writable) {
  Napi::HandleScope scope(Env());
  Step step(this, false);
  Process(readable, writable);
}

void Connection::Process(bool readable, bool writable) {
  if (engine_->in_handshake()) {
    if (writable && engine_->HasUnsent()) Flush();
    if (engine_->state() == Engine::State::kOpen) {
      ReportHandshake();
      return;
    }
    if (!readable || !IsOpen()) return;
    if (engine_->state() == Engine::State::kWaiting) {
      ListenWhileWaiting();
    } else {
      ContinueHandshake();
    }
    return;
  }
  if (writable) ContinueOutput();
  if (readable && IsOpen() && engine_->state() == Engine::State::kOpen) {
    if (plaintext_ != nullptr) {
      PumpFromPeer();
    } else {
      DeliverInput();
    }
  }
}

void Connection::ContinueHandshake() {
  engine_->Handshake();
  Flush();
  ReportHandshake();
}

void Connection::ListenWhileWaiting() {
  engine_->ListenWhileWaiting();
  if (engine_->state() == Engine::State::kFailed) ReportHandshake();
}

void Connection::ReportHandshake() {
  EmitKeyLog();
  if (!IsOpen()) return;
  switch (engine_->state()) {
    case Engine::State::kHandshake:
    case Engine::State::kSettling:
      return;
    case Engine::State::kWaiting: {
      if (question_open_ || chain_work_ != nullptr || sign_work_ != nullptr) return;
      const Question& question = engine_->question();
      if (question.kind == QuestionKind::kChain) {
        chain_work_ = ChainWork::Queue(env_data_, engine_->peer_chain(), this);
        return;
      }
      if (question.kind == QuestionKind::kOwnSignature) {
        SignOwn(question);
        return;
      }
      question_open_ = true;
      question_++;
      Emit(Callback::kQuestion,
           {Napi::Number::New(Env(), static_cast<double>(question.kind)), Napi::Number::New(Env(), question_),
            Napi::Number::New(Env(), question.detail), Napi::String::New(Env(), question.name),
            ToBuffer(Env(), question.data.data(), question.data.size())});
      return;
    }
    case Engine::State::kOpen:
      if (Emit(Callback::kHandshake)) EmitNewSessions();
      return;
    case Engine::State::kFailed:
      Emit(Callback::kHandshake, {ToObject(Env(), engine_->error())});
  }
}

void Connection::OnChainVerdict(long verdict) {
  chain_work_ = nullptr;
  Answered({.alert = std::nullopt, .bytes = {}, .verdict = verdict});
}

// A pool that does not get on must not keep new clients out.
void Connection::SignOwn(const Question& question) {
  const auto algorithm = static_cast<uint16_t>(question.detail);
  EVP_PKEY* key = engine_->identity()->key.get();
  if (!env_data_->pool_progress().IsStuck()) {
    sign_work_ = SignWork::Queue(env_data_, bssl::UpRef(key), algorithm, question.data, this);
    return;
  }
  engine_->Give({.alert = std::nullopt, .bytes = Sign(key, algorithm, question.data), .verdict = std::nullopt});
  ContinueHandshake();
}

void Connection::OnSignature(std::vector<uint8_t> signature) {
  sign_work_ = nullptr;
  Answered({.alert = std::nullopt, .bytes = std::move(signature), .verdict = std::nullopt});
}

void Connection::Answered(Answer answer) {
  // The peer may have gone in the meantime, which has been reported.
  if (!IsOpen() || engine_->state() != Engine::State::kWaiting) return;
  Napi::HandleScope scope(Env());
  engine_->Give(std::move(answer));
  Step step(this, false);
  ContinueHandshake();
}

// answer(number of the question, alert that refuses the peer or -1, bytes or undefined)
void Connection::AnswerQuestion(const Napi::CallbackInfo& info) {
  if (!IsOpen() || !question_open_ || ToInteger<uint32_t>(info[0]) != question_) return;
  question_open_ = false;
  Answer answer;
  if (const int alert = ToInteger<int>(info[1]); alert >= 0) answer.alert = static_cast<uint8_t>(alert);
  if (info[2].IsTypedArray()) {
    const ByteView bytes = ToBytes(info[2]);
    answer.bytes.assign(bytes.begin(), bytes.end());
  }
  engine_->Give(std::move(answer));
  Step step(this, true);
  ContinueHandshake();
}

// useContext(context): answers whether the client is served with it from now on.
Napi::Value Connection::UseContext(const Napi::CallbackInfo& info) {
  if (!IsOpen()) return Napi::Boolean::New(info.Env(), false);
  const auto context_object = info[0].As<Napi::Object>();
  const Context* context = Context::Unwrap(context_object);
  if (context == nullptr || !engine_->UseConfig(context->config())) return Napi::Boolean::New(info.Env(), false);
  chosen_context_reference_ = Napi::Persistent(context_object);
  return Napi::Boolean::New(info.Env(), true);
}

void Connection::EnableTrace(const Napi::CallbackInfo& /*info*/) {
  if (IsOpen()) engine_->KeepTrace();
}

bool Connection::Emit(Callback which, std::initializer_list<napi_value> arguments) {
  return !close_requested_ && Call(which, arguments);
}

bool Connection::Call(Callback which, std::initializer_list<napi_value> arguments) {
  const Napi::Env env = Env();
  const napi_value owner = owner_.Value();
  const napi_value function = env_data_->callback(which);
  if (from_js_) {
    return napi_call_function(env, owner, function, arguments.size(), arguments.begin(), nullptr) == napi_ok;
  }
  const napi_status status = napi_make_callback(env, async_context_, owner, function, arguments.size(),
                                                arguments.begin(), nullptr);
  if (status == napi_pending_exception) {
    napi_value exception = nullptr;
    napi_get_and_clear_last_exception(env, &exception);
    napi_fatal_exception(env, exception);
  }
  return status == napi_ok;
}

void Connection::EmitNewSessions() {
  for (const std::vector<uint8_t>& session : engine_->TakeNewSessions()) {
    if (!IsOpen() || !Emit(Callback::kSession, {ToBuffer(Env(), session.data(), session.size())})) return;
  }
}

void Connection::EmitKeyLog() {
  for (std::string line : engine_->TakeKeyLog()) {
    line += '\n';
    if (!IsOpen() || !Emit(Callback::kKeyLog, {ToBuffer(Env(), reinterpret_cast<const uint8_t*>(line.data()), line.size())})) {
      return;
    }
  }
}

// Also of a connection that is being closed: its last messages are those that somebody wants to see.
void Connection::EmitTrace() {
  if (engine_ == nullptr || owner_.IsEmpty()) return;
  for (const TracedMessage& message : engine_->TakeTrace()) {
    Call(Callback::kTrace, {Napi::Boolean::New(Env(), message.sent), Napi::Number::New(Env(), message.content_type),
                            ToBuffer(Env(), message.data.data(), message.data.size())});
  }
}

napi_value Connection::TakeNewSessions() {
  const std::vector<std::vector<uint8_t>> sessions = engine_->TakeNewSessions();
  if (sessions.empty()) return Env().Undefined();
  Napi::Array array = Napi::Array::New(Env(), sessions.size());
  for (uint32_t i = 0; i < sessions.size(); i++) array.Set(i, ToBuffer(Env(), sessions[i].data(), sessions[i].size()));
  return array;
}

// --- reading ---------------------------------------------------------------------------------------------------------

Napi::Value Connection::ReadStart(const Napi::CallbackInfo& info) {
  reading_ = true;
  if (!IsOpen() || read_ended_) return Napi::Boolean::New(info.Env(), false);
  if (depth_ == 0) UpdateInterest();
  return Napi::Boolean::New(info.Env(), HasInput());
}

void Connection::ReadStop(const Napi::CallbackInfo& /*info*/) {
  reading_ = false;
  if (IsOpen() && depth_ == 0) UpdateInterest();
}

void Connection::Deliver(const Napi::CallbackInfo& /*info*/) {
  if (!IsOpen() || !reading_ || engine_->state() != Engine::State::kOpen) return;
  Step step(this, true);
  Process(true, false);
}

bool Connection::HasInput() const {
  return engine_->HasBufferedInput() ||
         (memory_transport_ != nullptr && (memory_transport_->backlog() > 0 || memory_transport_->at_eof()));
}

// A peer that sends as fast as it is read must not keep the others waiting: the owner is told that there is more, and
// comes back for it.
void Connection::DeliverInput() {
  size_t delivered = 0;
  while (IsOpen() && reading_ && !read_ended_) {
    const Engine::ReadResult result = engine_->Read(env_data_->read_slab(), env_data_->read_slab_length());
    const bool answered = FlushAnswers();
    switch (result.status) {
      case Engine::ReadStatus::kData: {
        delivered += result.length;
        const bool enough = delivered >= kDeliverPerTurn;
        // Sessions come along, because whoever handles the data may close the connection, and nothing may run before
        // the data has left the slab.
        if (!Emit(Callback::kRead, {Napi::Number::New(Env(), static_cast<double>(result.length)), TakeNewSessions(),
                                    Napi::Boolean::New(Env(), enough && HasInput())})) {
          return;
        }
        if (IsOpen() && !answered) EmitError();
        if (!IsOpen() || enough || !(HasInput() || engine_->MayReceiveMore())) return;
        break;
      }
      case Engine::ReadStatus::kWantRead:
        EmitNewSessions();
        if (IsOpen() && !answered) EmitError();
        return;
      case Engine::ReadStatus::kCloseNotify:
      case Engine::ReadStatus::kEof:
        EmitEnd(result.status == Engine::ReadStatus::kCloseNotify);
        return;
      case Engine::ReadStatus::kError:
        EmitError();
        return;
    }
  }
}

// Sends what the last read called for; false when the transport has failed. Then nothing more can be read either, and
// nobody waits for a write who would be told.
bool Connection::FlushAnswers() {
  if (engine_->collected() == 0 && !engine_->HasUnsent()) return true;
  return Flush() != Engine::FlushStatus::kError;
}

void Connection::EmitEnd(bool close_notify) {
  read_ended_ = true;
  EmitNewSessions();
  if (IsOpen()) Emit(Callback::kEnd, {Napi::Boolean::New(Env(), close_notify)});
}

void Connection::EmitError() {
  read_ended_ = true;
  Emit(Callback::kError, {ToObject(Env(), engine_->error())});
}

// --- writing ---------------------------------------------------------------------------------------------------------

// Flushes and hands what a Duplex is to carry to JavaScript.
Engine::FlushStatus Connection::Flush() {
  const Engine::FlushStatus status = engine_->Flush();
  if (memory_transport_ != nullptr && memory_transport_->HasOutput()) {
    const std::vector<uint8_t> output = memory_transport_->TakeOutput();
    Emit(Callback::kOutput, {ToBuffer(Env(), output.data(), output.size())});
    return Engine::FlushStatus::kBlocked;
  }
  return status;
}

Napi::Value Connection::Write(const Napi::CallbackInfo& info) {
  const auto chunks = info[0].As<Napi::Array>();
  if (!IsOpen() || engine_->state() != Engine::State::kOpen) {
    return Napi::Number::New(info.Env(), static_cast<double>(Outcome::kFailed));
  }
  Step step(this, true);
  chunks_ = Napi::Reference<Napi::Array>::New(chunks, 1);
  chunk_index_ = 0;
  chunk_offset_ = 0;
  const Outcome outcome = PumpOutput();
  output_pending_ = outcome == Outcome::kPending;
  return Napi::Number::New(info.Env(), static_cast<double>(outcome));
}

// writeSlab(length, holds): the first bytes of the write slab. Always sealed at once, so the slab is free again on return.
// With `holds` they wait for what follows at once, shutdown() or another write, to go along with it.
Napi::Value Connection::WriteSlab(const Napi::CallbackInfo& info) {
  if (!IsOpen() || engine_->state() != Engine::State::kOpen) {
    return Napi::Number::New(info.Env(), static_cast<double>(Outcome::kFailed));
  }
  Step step(this, true);
  const uint8_t* data = env_data_->write_slab();
  size_t left = ToInteger<uint32_t>(info[0]);
  while (left > 0) {
    const size_t sealed = engine_->Seal(data, left);
    if (sealed == 0) return Napi::Number::New(info.Env(), static_cast<double>(Outcome::kFailed));
    data += sealed;
    left -= sealed;
  }
  if (ToBoolean(info[1])) {
    engine_->Hold();
    return Napi::Number::New(info.Env(), static_cast<double>(Outcome::kDone));
  }
  const Outcome outcome = PumpOutput();
  output_pending_ = outcome == Outcome::kPending;
  return Napi::Number::New(info.Env(), static_cast<double>(outcome));
}

Connection::Outcome Connection::PumpOutput() {
  size_t budget = kSealPerTurn;
  for (;;) {
    if (engine_->HasUnsent() || engine_->collected() > 0) {
      const Engine::FlushStatus status = Flush();
      if (status == Engine::FlushStatus::kError) return Outcome::kFailed;
      if (status == Engine::FlushStatus::kBlocked) return Outcome::kPending;
    }
    if (engine_->state() == Engine::State::kFailed) return Outcome::kFailed;
    if (file_ != nullptr) return PumpFile();
    if (chunks_.IsEmpty()) break;
    if (budget == 0) return Outcome::kPending;
    const size_t batch = std::min(budget, kFlushThreshold);
    SealFromChunks(batch);
    budget -= batch;
  }
  if (shutdown_requested_ && fd_transport_ != nullptr) fd_transport_->ShutDownSending();
  return Outcome::kDone;
}

// Small chunks are gathered into full records; a chunk that fills a record is sealed where it lies.
void Connection::SealFromChunks(size_t budget) {
  Napi::HandleScope scope(Env());
  const Napi::Array chunks = chunks_.Value();
  const uint32_t count = chunks.Length();
  std::vector<uint8_t>& gather = env_data_->scratch()->gather;
  // The kernel cuts records itself; libssl is given one at a time.
  const size_t in_place = engine_->tx() == RecordLayer::kKernel ? budget : gather.size();
  size_t sealed_total = 0;
  while (sealed_total < budget && chunk_index_ < count) {
    size_t gathered = 0;
    const uint8_t* record = gather.data();
    while (gathered < gather.size() && chunk_index_ < count) {
      const ByteView chunk = ToBytes(chunks.Get(chunk_index_));
      const ByteView rest = chunk.subspan(std::min(chunk_offset_, chunk.size()));
      size_t taken = std::min(rest.size(), gather.size() - gathered);
      if (gathered == 0 && (taken == gather.size() || chunk_index_ + 1 == count)) {
        record = rest.data();
        taken = std::min(rest.size(), in_place);
      } else if (taken > 0) {
        std::memcpy(gather.data() + gathered, rest.data(), taken);
      }
      gathered += taken;
      if (taken == rest.size()) {
        chunk_index_++;
        chunk_offset_ = 0;
      } else {
        chunk_offset_ += taken;
      }
      if (record != gather.data()) break;
    }
    for (size_t done = 0; done < gathered;) {
      const size_t sealed = engine_->Seal(record + done, gathered - done);
      if (sealed == 0) {
        chunks_.Reset();
        return;
      }
      done += sealed;
    }
    sealed_total += gathered;
  }
  if (chunk_index_ >= count) chunks_.Reset();
}

void Connection::ContinueOutput() {
  if (!IsOpen() || (!output_pending_ && !engine_->HasUnsent())) return;
  const Outcome outcome = PumpOutput();
  if (outcome == Outcome::kPending) return;
  if (output_pending_) {
    ReportWritten(outcome);
  } else if (outcome == Outcome::kFailed) {
    EmitError();
  }
}

void Connection::ReportWritten(Outcome outcome) {
  output_pending_ = false;
  chunks_.Reset();
  file_.reset();
  if (outcome == Outcome::kDone) {
    Emit(Callback::kWritten);
  } else {
    Emit(Callback::kWritten, {ToObject(Env(), engine_->error())});
  }
}

void Connection::SendTickets(const Napi::CallbackInfo& /*info*/) {
  if (!IsOpen()) return;
  Step step(this, true);
  engine_->SealTickets();
  if (!FlushAnswers()) EmitError();
}

// Sends close_notify and closes the sending half (RFC 8446, section 6.1).
Napi::Value Connection::Shutdown(const Napi::CallbackInfo& info) {
  if (!IsOpen() || engine_->state() != Engine::State::kOpen) {
    return Napi::Number::New(info.Env(), static_cast<double>(Outcome::kFailed));
  }
  Step step(this, true);
  shutdown_requested_ = true;
  // A record that the kernel seals would stay open.
  if (fd_transport_ != nullptr && engine_->tx() != RecordLayer::kKernel) fd_transport_->HoldUntilEnd();
  engine_->SealCloseNotify();
  const Outcome outcome = PumpOutput();
  output_pending_ = outcome == Outcome::kPending;
  return Napi::Number::New(info.Env(), static_cast<double>(outcome));
}

// --- a Duplex as the transport ---------------------------------------------------------------------------------------

// A Duplex may answer before its write has returned, in the middle of a step; that step then goes round again.
void Connection::ProcessDuplex(bool readable, bool writable) {
  if (depth_ > 0) {
    repeat_ = true;
    return;
  }
  Step step(this, true);
  Process(readable, writable);
}

// feed(chunk): answers whether the Duplex may go on reading.
Napi::Value Connection::Feed(const Napi::CallbackInfo& info) {
  if (!IsOpen()) return Napi::Boolean::New(info.Env(), true);
  const ByteView chunk = ToBytes(info[0]);
  memory_transport_->Feed(chunk.data(), chunk.size());
  ProcessDuplex(true, false);
  return Napi::Boolean::New(info.Env(), !IsOpen() || memory_transport_->backlog() < ScratchBuffers::kReadAhead);
}

void Connection::FeedEof(const Napi::CallbackInfo& /*info*/) {
  if (!IsOpen()) return;
  memory_transport_->FeedEof();
  ProcessDuplex(true, false);
}

// The Duplex has taken the last output.
void Connection::Delivered(const Napi::CallbackInfo& /*info*/) {
  if (!IsOpen()) return;
  memory_transport_->Delivered();
  ProcessDuplex(false, true);
}

// --- closing ---------------------------------------------------------------------------------------------------------

// refuse(alert)
void Connection::Refuse(const Napi::CallbackInfo& info) {
  if (!IsOpen()) return;
  Step step(this, true);
  engine_->RefusePeer(static_cast<uint8_t>(ToInteger<int>(info[0])));
  Flush();
}

void Connection::Close(const Napi::CallbackInfo& /*info*/) {
  if (!IsOpen()) return;
  Step step(this, true);
  // What was handed over before is sent before the end.
  if (plaintext_ != nullptr && engine_->state() == Engine::State::kOpen) PumpToPeer();
  // A clean end after half of a write or of a file would hide from the peer that the other half is missing.
  if (!output_pending_ && !cut_short_ && engine_->SealCloseNotify()) Flush();
  close_requested_ = true;
}

// Closes without close_notify; TCP sends RST.
void Connection::Reset(const Napi::CallbackInfo& /*info*/) {
  if (!IsOpen()) return;
  Step step(this, true);
  if (fd_transport_ != nullptr) fd_transport_->ResetOnClose();
  close_requested_ = true;
}

void Connection::CloseNow() {
  const bool started = !owner_.IsEmpty();
  if (fd_transport_ != nullptr) {
    // They are asked for in 'close' handlers, when the descriptor is gone.
    addresses_ = Addresses();
    engine_->DiscardInput();
  }
  plaintext_.reset();
  if (chain_work_ != nullptr) std::exchange(chain_work_, nullptr)->Abandon();
  if (sign_work_ != nullptr) std::exchange(sign_work_, nullptr)->Abandon();
  if (file_work_ != nullptr) std::exchange(file_work_, nullptr)->Abandon();
  file_.reset();
  engine_.reset();
  fd_transport_.reset();
  memory_transport_.reset();
  chunks_.Reset();
  if (!started) return;
  env_data_->Remove(this);
  owner_.Reset();
  context_reference_.Reset();
  chosen_context_reference_.Reset();
  napi_async_destroy(Env(), std::exchange(async_context_, nullptr));
  Unref();
}

void Connection::CloseForTeardown() {
  if (engine_ == nullptr) return;
  close_requested_ = true;
  CloseNow();
}

void Connection::UpdateInterest() {
  if (fd_transport_ == nullptr || engine_ == nullptr) return;
  const Engine::State state = engine_->state();
  const bool wanted = plaintext_ != nullptr ? plaintext_->TakesMore() : reading_;
  const bool settling = state == Engine::State::kSettling && engine_->rx() == RecordLayer::kPending;
  const bool readable = state == Engine::State::kHandshake || settling || engine_->listens_while_waiting() ||
                        (state == Engine::State::kOpen && wanted && !read_ended_);
  const bool writable = state != Engine::State::kFailed && file_work_ == nullptr &&
                        (engine_->HasUnsent() || output_pending_);
  fd_transport_->Watch(readable, writable);
  if (plaintext_ != nullptr) plaintext_->Watch(state == Engine::State::kOpen && !writable);
}

// --- questions -------------------------------------------------------------------------------------------------------

Napi::Value Connection::LastError(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return info.Env().Undefined();
  return ToObject(info.Env(), engine_->error());
}

Napi::Value Connection::Details(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (engine_ == nullptr) return env.Undefined();
  SSL* ssl = engine_->ssl();
  const uint8_t* alpn = nullptr;
  unsigned alpn_length = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_length);
  const uint8_t* ocsp_response = nullptr;
  size_t ocsp_response_length = 0;
  SSL_get0_ocsp_response(ssl, &ocsp_response, &ocsp_response_length);

  Napi::Array details = Napi::Array::New(env, 7);
  details.Set(0u, AgreementOf(env, ssl));
  details.Set(1u, alpn_length == 0
                      ? env.Null()
                      : Napi::Value(Napi::String::New(env, reinterpret_cast<const char*>(alpn), alpn_length)));
  details.Set(2u, OrNull(env, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)));
  details.Set(3u, Napi::Boolean::New(env, SSL_session_reused(ssl) != 0));
  details.Set(4u, Napi::Boolean::New(env, engine_->verifies_peer()));
  details.Set(5u, Napi::Number::New(env, static_cast<double>(engine_->verify_result())));
  details.Set(6u, ocsp_response_length == 0 ? env.Undefined()
                                            : Napi::Value(ToBuffer(env, ocsp_response, ocsp_response_length)));
  return details;
}

// Names are the same for most connections, and making six strings takes longer than an AEAD takes for a record.
Napi::Value Connection::AgreementOf(Napi::Env env, const SSL* ssl) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const uint16_t group = SSL_get_group_id(ssl);
  const uint64_t key = uint64_t{static_cast<uint16_t>(SSL_version(ssl))} << 32 |
                       uint64_t{cipher == nullptr ? uint16_t{0} : SSL_CIPHER_get_protocol_id(cipher)} << 16 | group;
  Napi::ObjectReference& known = env_data_->agreement(key);
  if (!known.IsEmpty()) return known.Value();
  Napi::Object agreement = Napi::Object::New(env);
  agreement.Set("protocol", SSL_get_version(ssl));
  agreement.Set("cipher", OrNull(env, cipher == nullptr ? nullptr : SSL_CIPHER_standard_name(cipher)));
  agreement.Set("cipherName", OrNull(env, cipher == nullptr ? nullptr : SSL_CIPHER_get_name(cipher)));
  agreement.Set("cipherVersion", OrNull(env, cipher == nullptr ? nullptr : SSL_CIPHER_get_version(cipher)));
  agreement.Set("group", OrNull(env, group == 0 ? nullptr : SSL_get_group_name(group)));
  agreement.Freeze();
  known = Napi::Persistent(agreement);
  return agreement;
}

Napi::Value Connection::PeerCertificates(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  if (engine_ == nullptr) return result;
  const STACK_OF(CRYPTO_BUFFER)* chain = SSL_get0_peer_certificates(engine_->ssl());
  if (chain == nullptr) return result;
  for (size_t i = 0; i < sk_CRYPTO_BUFFER_num(chain); i++) {
    const CRYPTO_BUFFER* certificate = sk_CRYPTO_BUFFER_value(chain, i);
    result.Set(static_cast<uint32_t>(i),
               ToBuffer(info.Env(), CRYPTO_BUFFER_data(certificate), CRYPTO_BUFFER_len(certificate)));
  }
  return result;
}

Napi::Value Connection::VerifiedCertificates(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  if (engine_ == nullptr) return result;
  const bssl::UniquePtr<STACK_OF(X509)> chain = engine_->VerifiedChain();
  for (size_t i = 0; chain != nullptr && i < sk_X509_num(chain.get()); i++) {
    uint8_t* der = nullptr;
    const int length = i2d_X509(sk_X509_value(chain.get(), i), &der);
    if (length <= 0) continue;
    result.Set(result.Length(), ToBuffer(info.Env(), der, static_cast<size_t>(length)));
    OPENSSL_free(der);
  }
  return result;
}

// { chain, issuer }: what this end proves itself with, while its handshake lasts, and who issued it where that is known.
Napi::Value Connection::LocalCertificates(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return info.Env().Undefined();
  const auto to_buffer = [&info](const CRYPTO_BUFFER* certificate) {
    return ToBuffer(info.Env(), CRYPTO_BUFFER_data(certificate), CRYPTO_BUFFER_len(certificate));
  };
  const Identity* identity = engine_->identity();
  if (identity == nullptr) return info.Env().Undefined();
  Napi::Object result = Napi::Object::New(info.Env());
  Napi::Array chain = Napi::Array::New(info.Env(), identity->chain.size());
  for (uint32_t i = 0; i < identity->chain.size(); i++) chain.Set(i, to_buffer(identity->chain[i].get()));
  result.Set("chain", chain);
  if (identity->issuer != nullptr) result.Set("issuer", to_buffer(ToCryptoBuffer(identity->issuer.get()).get()));
  return result;
}

Napi::Value Connection::OffersSingleUse(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IsOpen() && engine_->OffersSingleUse());
}

Napi::Value Connection::Session(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return info.Env().Undefined();
  const SSL_SESSION* session = SSL_get_session(engine_->ssl());
  uint8_t* bytes = nullptr;
  size_t length = 0;
  if (session == nullptr || !SSL_SESSION_to_bytes(session, &bytes, &length)) {
    ERR_clear_error();
    return info.Env().Undefined();
  }
  const Napi::Value result = ToBuffer(info.Env(), bytes, length);
  OPENSSL_free(bytes);
  return result;
}

// ticketOf(session): the ticket in a session that session() or onSession told of
Napi::Value Connection::TicketOf(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return info.Env().Undefined();
  const ByteView bytes = ToBytes(info[0]);
  const bssl::UniquePtr<SSL_SESSION> session(
      SSL_SESSION_from_bytes(bytes.data(), bytes.size(), SSL_get_SSL_CTX(engine_->ssl())));
  ERR_clear_error();
  if (session == nullptr || !SSL_SESSION_has_ticket(session.get())) return info.Env().Undefined();
  const uint8_t* ticket = nullptr;
  size_t length = 0;
  SSL_SESSION_get0_ticket(session.get(), &ticket, &length);
  return ToBuffer(info.Env(), ticket, length);
}

Napi::Value Connection::SharedSigalgs(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  if (engine_ == nullptr) return result;
  for (const uint16_t sigalg : engine_->SharedSigalgs()) result.Set(result.Length(), Napi::Number::New(info.Env(), sigalg));
  return result;
}

// setMaxSendFragment(bytes)
Napi::Value Connection::SetMaxSendFragment(const Napi::CallbackInfo& info) {
  const bool set = engine_ != nullptr && engine_->SetMaxSendFragment(ToInteger<uint32_t>(info[0]));
  return Napi::Boolean::New(info.Env(), set);
}

// exportKeyingMaterial(length, label, context or undefined): RFC 5705; RFC 8446, section 7.5
Napi::Value Connection::ExportKeyingMaterial(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return info.Env().Undefined();
  const std::string label = ToText(info[1]);
  const ByteView context = info[2].IsTypedArray() ? ToBytes(info[2]) : ByteView();
  auto result = Napi::Buffer<uint8_t>::New(info.Env(), ToInteger<uint32_t>(info[0]));
  if (result.IsEmpty()) return result;
  if (!SSL_export_keying_material(engine_->ssl(), result.Data(), result.Length(), label.data(), label.size(),
                                  context.data(), context.size(), info[2].IsTypedArray() ? 1 : 0)) {
    ThrowFromErrorQueue(info.Env(), "exportKeyingMaterial");
    return info.Env().Undefined();
  }
  return result;
}

// updateKeys(): answers whether a KeyUpdate is on its way.
Napi::Value Connection::UpdateKeys(const Napi::CallbackInfo& info) {
  if (!IsOpen()) return Napi::Boolean::New(info.Env(), false);
  Step step(this, true);
  const bool updated = engine_->UpdateKeys();
  ERR_clear_error();
  if (updated) Flush();
  return Napi::Boolean::New(info.Env(), updated);
}

Napi::Value Connection::KernelTls(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return info.Env().Undefined();
  const auto number = [&info](int value) { return Napi::Number::New(info.Env(), value); };
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("tx", number(static_cast<int>(engine_->tx())));
  object.Set("rx", number(static_cast<int>(engine_->rx())));
  object.Set("attachError", number(engine_->attach_error()));
  object.Set("txError", number(engine_->tx_error()));
  object.Set("rxError", number(engine_->rx_error()));
  return object;
}

Napi::Value Connection::BytesSent(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), engine_ == nullptr ? 0 : static_cast<double>(engine_->bytes_sent()));
}

Napi::Value Connection::Finished(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return info.Env().Undefined();
  uint8_t message[EVP_MAX_MD_SIZE];
  const size_t length = SSL_get_finished(engine_->ssl(), message, sizeof(message));
  return length == 0 ? info.Env().Undefined() : Napi::Value(ToBuffer(info.Env(), message, length));
}

Napi::Value Connection::PeerFinished(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return info.Env().Undefined();
  uint8_t message[EVP_MAX_MD_SIZE];
  const size_t length = SSL_get_peer_finished(engine_->ssl(), message, sizeof(message));
  return length == 0 ? info.Env().Undefined() : Napi::Value(ToBuffer(info.Env(), message, length));
}

SocketAddresses Connection::Addresses() const {
  return fd_transport_ == nullptr ? addresses_ : SocketAddresses::Of(fd_transport_->fd());
}

Napi::Value Connection::PeerName(const Napi::CallbackInfo& info) {
  return ToObject(info.Env(), Addresses().peer);
}

Napi::Value Connection::SocketName(const Napi::CallbackInfo& info) {
  return ToObject(info.Env(), Addresses().local);
}

void Connection::SetNoDelay(const Napi::CallbackInfo& info) {
  if (fd_transport_ != nullptr) SetTcpNoDelay(fd_transport_->fd(), ToBoolean(info[0]));
}

// setKeepAlive(enable, initial delay in seconds)
void Connection::SetKeepAlive(const Napi::CallbackInfo& info) {
  if (fd_transport_ == nullptr) return;
  SetTcpKeepAlive(fd_transport_->fd(), ToBoolean(info[0]), ToInteger<int>(info[1]));
}

void Connection::SetReferenced(const Napi::CallbackInfo& info) {
  if (fd_transport_ != nullptr) fd_transport_->SetReferenced(ToBoolean(info[0]));
  if (plaintext_ != nullptr) plaintext_->SetReferenced(ToBoolean(info[0]));
}

}  // namespace aws_lc
