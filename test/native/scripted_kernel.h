// A kernel that answers as it is told and remembers what it was asked. It knows nothing of cryptography.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "wire.h"

namespace aws_lc {

struct Record {
  uint8_t type;
  std::string body;
};

class ScriptedKernel : public WireEnd {
 public:
  // What a call of ReceiveRecord() answers: a record, or (type zero) a count or negated errno.
  struct Arrival {
    Record record;
    ptrdiff_t result = 0;
  };

  ptrdiff_t Send(const uint8_t* data, size_t length) override;
  ptrdiff_t Receive(uint8_t* out, size_t capacity) override;
  int AttachTls() override;
  int InstallTls(KtlsDirection direction, const KernelCryptoInfo& info) override;
  ptrdiff_t SendRecord(uint8_t type, const uint8_t* data, size_t length) override;
  ptrdiff_t ReceiveRecord(uint8_t* out, size_t capacity, uint8_t* type) override;
  void ForgetError() override { pending_error_ = 0; }
  bool HasRoomToEnd() override { return room_to_end; }

  void Arrive(uint8_t type, std::string body) { arrivals.push_back({{type, std::move(body)}, 0}); }
  // Stays with the socket as well, as errors of the record layer do.
  void ArriveError(int error) { arrivals.push_back({{0, ""}, -error}); }
  void ArriveEof() { arrivals.push_back({{0, ""}, 0}); }

  // The script. Zero or a negated errno.
  int attach_answer = 0;
  int tx_answer = 0;
  int rx_answer = 0;
  // For every install but a direction's first.
  int tx_refusal_of_rekey = 0;
  int rx_refusal_of_rekey = 0;
  // For one call of Send() each, once TX is installed: bytes taken at most or a negated errno; none left: all is taken.
  std::deque<ptrdiff_t> send_answers;
  // Likewise for SendRecord(); zero takes the record.
  std::deque<int> send_record_answers;
  // None left: -EAGAIN.
  std::deque<Arrival> arrivals;
  bool room_to_end = true;

  // What happened: "attach", "rx", "tx" in their order, and "ciphertext read", which must never be, after RX.
  std::vector<std::string> calls;
  // What was sent with TX installed, runs of data joined.
  std::vector<Record> sent;
  std::vector<uint8_t> tx_info;
  std::vector<uint8_t> rx_info;

  bool tx_installed() const { return !tx_info.empty() && tx_answer == 0; }
  bool rx_installed() const { return !rx_info.empty() && rx_answer == 0; }
  std::string Calls() const;
  // As in "data 5, alert 0100".
  std::string Sent() const;

 private:
  // Of a record that failed: what is sent meets it too, until it is forgotten.
  int pending_error_ = 0;
};

}  // namespace aws_lc
