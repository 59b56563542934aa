#include "scripted_kernel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tap.h"

namespace aws_lc {

ptrdiff_t ScriptedKernel::Send(const uint8_t* data, size_t length) {
  if (pending_error_ != 0) return pending_error_;
  if (!tx_installed()) return WireEnd::Send(data, length);
  ptrdiff_t taken = static_cast<ptrdiff_t>(length);
  if (!send_answers.empty()) {
    taken = std::min(taken, send_answers.front());
    send_answers.pop_front();
    if (taken < 0) return taken;
  }
  const std::string body(reinterpret_cast<const char*>(data), static_cast<size_t>(taken));
  if (sent.empty() || sent.back().type != SSL3_RT_APPLICATION_DATA) sent.push_back({SSL3_RT_APPLICATION_DATA, ""});
  sent.back().body += body;
  return taken;
}

ptrdiff_t ScriptedKernel::Receive(uint8_t* out, size_t capacity) {
  if (rx_installed()) calls.push_back("ciphertext read");
  return WireEnd::Receive(out, capacity);
}

int ScriptedKernel::AttachTls() {
  calls.push_back("attach");
  return attach_answer;
}

int ScriptedKernel::InstallTls(KtlsDirection direction, const KernelCryptoInfo& info) {
  const auto* bytes = static_cast<const uint8_t*>(info.data());
  const bool sending = direction == KtlsDirection::kTx;
  calls.push_back(sending ? "tx" : "rx");
  std::vector<uint8_t>& given = sending ? tx_info : rx_info;
  const bool first = given.empty();
  given.assign(bytes, bytes + info.size());
  if (first) return sending ? tx_answer : rx_answer;
  return sending ? tx_refusal_of_rekey : rx_refusal_of_rekey;
}

ptrdiff_t ScriptedKernel::SendRecord(uint8_t type, const uint8_t* data, size_t length) {
  if (pending_error_ != 0) return pending_error_;
  if (!send_record_answers.empty()) {
    const int answer = send_record_answers.front();
    send_record_answers.pop_front();
    if (answer != 0) return answer;
  }
  sent.push_back({type, std::string(reinterpret_cast<const char*>(data), length)});
  return static_cast<ptrdiff_t>(length);
}

ptrdiff_t ScriptedKernel::ReceiveRecord(uint8_t* out, size_t capacity, uint8_t* type) {
  *type = 0;
  if (arrivals.empty()) return -EAGAIN;
  Arrival& arrival = arrivals.front();
  if (arrival.record.type == 0) {
    const ptrdiff_t result = arrival.result;
    arrivals.pop_front();
    if (result < 0) pending_error_ = static_cast<int>(result);
    return result;
  }
  *type = arrival.record.type;
  std::string& body = arrival.record.body;
  const size_t count = std::min(capacity, body.size());
  std::memcpy(out, body.data(), count);
  body.erase(0, count);
  if (body.empty()) arrivals.pop_front();
  return static_cast<ptrdiff_t>(count);
}

std::string ScriptedKernel::Calls() const {
  std::string joined;
  for (const std::string& call : calls) joined += (joined.empty() ? "" : ", ") + call;
  return joined;
}

std::string ScriptedKernel::Sent() const {
  std::string joined;
  for (const Record& record : sent) {
    if (!joined.empty()) joined += ", ";
    const std::span body(reinterpret_cast<const uint8_t*>(record.body.data()), record.body.size());
    if (record.type == SSL3_RT_APPLICATION_DATA) {
      joined += "data " + std::to_string(body.size());
    } else if (record.type == SSL3_RT_ALERT) {
      joined += "alert " + tap::Hex(body);
    } else {
      joined += "type " + std::to_string(record.type) + " " + tap::Hex(body);
    }
  }
  return joined;
}

}  // namespace aws_lc
