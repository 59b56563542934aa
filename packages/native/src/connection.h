// One TLS connection as JavaScript sees it: moves bytes between an engine, its transport and the owner's callbacks.
//
// Two rules keep it sound. Ciphertext that a step of the engine collected is flushed before JavaScript runs, because
// the buffer it was collected in is shared. And JavaScript may do anything in a callback, closing included, so closing
// takes effect only when the outermost step has returned.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "chain_work.h"
#include "context.h"
#include "engine.h"
#include "env_data.h"
#include "fd_transport.h"
#include "file_work.h"
#include "memory_transport.h"
#include "plaintext_socket.h"
#include "sign_work.h"
#include "socket_options.h"
#include "wrapped.h"

namespace aws_lc {

class Connection final : public Wrapped<Connection>,
                         private FdTransport::Listener,
                         private ChainWork::Listener,
                         private FileWork::Listener,
                         private SignWork::Listener {
 public:
  static Napi::Function Define(Napi::Env env);
  // new Connection(context, ktls, narrowed, keepsKeyLog, client), see lib/index.d.ts
  explicit Connection(const Napi::CallbackInfo& info);
  ~Connection() override;

  // The environment is going: let go of everything without a word to JavaScript.
  void CloseForTeardown();

 private:
  // What write() and shutdown() answer; kPending promises a later onWritten.
  enum class Outcome : uint8_t { kDone = 0, kPending = 1, kFailed = 2 };

  // Marks that a step is running, and whether JavaScript called it (then JavaScript is called back plainly).
  class Step {
   public:
    Step(Connection* connection, bool from_js);
    ~Step();

   private:
    Connection* const connection_;
    const bool outer_from_js_;
  };

  // Readiness of the plaintext socket.
  class PlaintextListener final : public FdTransport::Listener {
   public:
    explicit PlaintextListener(Connection* connection) : connection_(connection) {}
    void OnReady(bool readable, bool writable) override { connection_->OnPlaintextReady(readable, writable); }

   private:
    Connection* const connection_;
  };

  void Start(const Napi::CallbackInfo& info);
  void AnswerQuestion(const Napi::CallbackInfo& info);
  Napi::Value UseContext(const Napi::CallbackInfo& info);
  void EnableTrace(const Napi::CallbackInfo& info);
  Napi::Value LocalCertificates(const Napi::CallbackInfo& info);
  Napi::Value ReadStart(const Napi::CallbackInfo& info);
  void ReadStop(const Napi::CallbackInfo& info);
  void Deliver(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value WriteSlab(const Napi::CallbackInfo& info);
  Napi::Value SendFile(const Napi::CallbackInfo& info);
  void CancelFile(const Napi::CallbackInfo& info);
  void SendTickets(const Napi::CallbackInfo& info);
  Napi::Value Shutdown(const Napi::CallbackInfo& info);
  void Refuse(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);
  void Reset(const Napi::CallbackInfo& info);
  Napi::Value OpenPlaintextSocket(const Napi::CallbackInfo& info);
  Napi::Value PumpedBytes(const Napi::CallbackInfo& info);
  Napi::Value Feed(const Napi::CallbackInfo& info);
  void FeedEof(const Napi::CallbackInfo& info);
  void Delivered(const Napi::CallbackInfo& info);
  Napi::Value LastError(const Napi::CallbackInfo& info);
  Napi::Value Details(const Napi::CallbackInfo& info);
  Napi::Value PeerCertificates(const Napi::CallbackInfo& info);
  Napi::Value VerifiedCertificates(const Napi::CallbackInfo& info);
  Napi::Value Session(const Napi::CallbackInfo& info);
  Napi::Value OffersSingleUse(const Napi::CallbackInfo& info);
  Napi::Value ExportKeyingMaterial(const Napi::CallbackInfo& info);
  Napi::Value UpdateKeys(const Napi::CallbackInfo& info);
  Napi::Value KernelTls(const Napi::CallbackInfo& info);
  Napi::Value BytesSent(const Napi::CallbackInfo& info);
  Napi::Value TicketOf(const Napi::CallbackInfo& info);
  Napi::Value SharedSigalgs(const Napi::CallbackInfo& info);
  Napi::Value SetMaxSendFragment(const Napi::CallbackInfo& info);
  Napi::Value Finished(const Napi::CallbackInfo& info);
  Napi::Value PeerFinished(const Napi::CallbackInfo& info);
  Napi::Value PeerName(const Napi::CallbackInfo& info);
  Napi::Value SocketName(const Napi::CallbackInfo& info);
  void SetNoDelay(const Napi::CallbackInfo& info);
  void SetKeepAlive(const Napi::CallbackInfo& info);
  void SetReferenced(const Napi::CallbackInfo& info);

  void OnReady(bool readable, bool writable) override;
  void OnPlaintextReady(bool readable, bool writable);
  void PumpFromPeer();
  enum class Pumped : uint8_t { kAllThereIs, kToTheEnd, kFailed };
  Pumped PumpToPeer();
  bool SealPumped(const uint8_t* data, size_t length);
  void Process(bool readable, bool writable);
  void ProcessDuplex(bool readable, bool writable);

  void ContinueHandshake();
  void ListenWhileWaiting();
  void OnChainVerdict(long verdict) override;
  void OnSignature(std::vector<uint8_t> signature) override;
  void Answered(Answer answer);
  void SignOwn(const Question& question);
  void ReportHandshake();
  void DeliverInput();
  bool FlushAnswers();
  void EmitEnd(bool close_notify);
  void EmitError();
  void EmitNewSessions();
  void EmitKeyLog();
  void EmitTrace();
  napi_value TakeNewSessions();
  // Seals what is left of the write in progress, bounded a turn, and flushes.
  Outcome PumpOutput();
  void SealFromChunks(size_t budget);
  void ContinueOutput();
  // Likewise the next step of the file in progress.
  Outcome PumpFile();
  void OnFileStep(FileStep result) override;
  void EndFile();
  void ReportWritten(Outcome outcome);
  Engine::FlushStatus Flush();
  void UpdateInterest();
  bool HasInput() const;
  bool IsOpen() const { return engine_ != nullptr && !close_requested_; }
  void CloseNow();
  Napi::Value AgreementOf(Napi::Env env, const SSL* ssl);
  SocketAddresses Addresses() const;
  void BecomeClient(const Napi::Object& options);
  void Narrow(const Napi::Object& narrowed);
  void RequestKernelTls(const Napi::Object& request);

  // Calls the owner back; false when nothing more may be done because an exception is on its way to the caller.
  bool Emit(Callback which, std::initializer_list<napi_value> arguments = {});
  bool Call(Callback which, std::initializer_list<napi_value> arguments);

  std::shared_ptr<EnvData> env_data_;
  Napi::ObjectReference context_reference_;
  // The context that a server chose for this client.
  Napi::ObjectReference chosen_context_reference_;
  Napi::ObjectReference owner_;
  napi_async_context async_context_ = nullptr;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<FdTransport> fd_transport_;
  std::unique_ptr<MemoryTransport> memory_transport_;
  // What they were when the descriptor was closed.
  SocketAddresses addresses_;
  // Carries the plaintext in place of JavaScript, see plaintext_socket.h.
  PlaintextListener plaintext_listener_{this};
  std::unique_ptr<PlaintextSocket> plaintext_;

  unsigned depth_ = 0;
  bool from_js_ = false;
  bool close_requested_ = false;
  bool repeat_ = false;
  bool reading_ = false;
  bool read_ended_ = false;
  // The last question to JavaScript, and whether its answer is outstanding.
  uint32_t question_ = 0;
  bool question_open_ = false;
  // The verification of the peer's chain, while it is being made.
  ChainWork* chain_work_ = nullptr;
  // Likewise this end's signature.
  SignWork* sign_work_ = nullptr;

  // The write in progress. Its chunks are looked up again on every turn: JavaScript could have detached them.
  Napi::Reference<Napi::Array> chunks_;
  uint32_t chunk_index_ = 0;
  size_t chunk_offset_ = 0;
  bool output_pending_ = false;
  // The file in progress, which takes the place of the chunks, and the step of it that is being made.
  std::shared_ptr<FileTransfer> file_;
  FileWork* file_work_ = nullptr;
  bool file_record_open_ = false;
  // Whether a file was given up after a part of it had been sent.
  bool cut_short_ = false;
  bool shutdown_requested_ = false;
};

}  // namespace aws_lc
