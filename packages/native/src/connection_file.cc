// The part of a connection that sends files: a file takes the place of the chunks of a write, and is sent step by step on
// the thread pool, the sealing in between on the loop where the kernel does not do it.
#include <utility>

#include "connection.h"
#include "file_source.h"

namespace aws_lc {

// sendFile(source): the file's own failure is asked of the source, what is reported as written is the connection's.
Napi::Value Connection::SendFile(const Napi::CallbackInfo& info) {
  if (!IsOpen() || engine_->state() != Engine::State::kOpen) {
    return Napi::Number::New(info.Env(), static_cast<double>(Outcome::kFailed));
  }
  Step step(this, true);
  file_ = FileSource::Unwrap(info[0].As<Napi::Object>())->transfer();
  file_record_open_ = false;
  const Outcome outcome = PumpOutput();
  output_pending_ = outcome == Outcome::kPending;
  if (!output_pending_) file_.reset();
  return Napi::Number::New(info.Env(), static_cast<double>(outcome));
}

// cancelFile(): written is reported as soon as the step that is being made has returned.
void Connection::CancelFile(const Napi::CallbackInfo& /*info*/) {
  if (!IsOpen() || file_ == nullptr) return;
  Step step(this, true);
  file_->Cancel();
  if (file_work_ != nullptr) {
    file_work_->TryCancel();
  } else {
    EndFile();
    ReportWritten(Outcome::kDone);
  }
}

Connection::Outcome Connection::PumpFile() {
  if (file_work_ != nullptr) return Outcome::kPending;
  // Between two steps the kernel may take over.
  if (engine_->tx() == RecordLayer::kPending && Flush() == Engine::FlushStatus::kError) return Outcome::kFailed;
  if (file_->over()) {
    EndFile();
    return Outcome::kDone;
  }
  std::shared_ptr<const Descriptor> socket;
  if (engine_->tx() == RecordLayer::kKernel) {
    socket = fd_transport_->descriptor();
    engine_->LendTransport();
  }
  file_work_ = FileWork::Queue(env_data_, *file_, std::move(socket), this);
  return Outcome::kPending;
}

void Connection::OnFileStep(FileStep result) {
  Napi::HandleScope scope(Env());
  const bool lent = std::exchange(file_work_, nullptr)->sends();
  Step step(this, false);
  if (lent) engine_->TakeTransportBack(result.sent);
  if (result.sent > 0) {
    file_->Advance(result.sent);
    file_record_open_ = result.blocked;
  }
  if (result.ended) file_->End();
  if (result.file_error != 0) {
    file_->Fail(result.file_error);
  } else if (result.socket_error != 0) {
    engine_->FailToSend(result.socket_error);
  }
  if (file_->cancelled()) {
    EndFile();
    ReportWritten(Outcome::kDone);
    return;
  }
  for (size_t done = 0; done < result.length && engine_->state() == Engine::State::kOpen;) {
    const size_t sealed = engine_->Seal(result.data.get() + done, result.length - done);
    file_->Advance(sealed);
    done += sealed;
  }
  // The socket says when it takes more.
  if (result.blocked && engine_->state() == Engine::State::kOpen && !engine_->HasUnsent()) return;
  ContinueOutput();
}

void Connection::EndFile() {
  // The file was cut short behind what was sent of it: the kernel has been told that more would come.
  if (file_record_open_ && file_->complete()) engine_->PushOpenRecord();
  if (!file_->complete() && file_->sent() > 0) cut_short_ = true;
}

}  // namespace aws_lc
