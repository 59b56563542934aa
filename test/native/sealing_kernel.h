// A kernel that seals and opens records with the keys it is given, written from the RFCs and <linux/tls.h> and sharing
// no code with what is tested: that the peer's libssl understands it proves salts, nonces and sequence numbers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws_lc.h"
#include "wire.h"

namespace aws_lc {

class SealingKernel : public WireEnd {
 public:
  ptrdiff_t Send(const uint8_t* data, size_t length) override;
  int AttachTls() override;
  int InstallTls(KtlsDirection direction, const KernelCryptoInfo& info) override;
  ptrdiff_t SendRecord(uint8_t type, const uint8_t* data, size_t length) override;
  ptrdiff_t ReceiveRecord(uint8_t* out, size_t capacity, uint8_t* type) override;
  bool readable() const override { return !rest_.empty() || WireEnd::readable(); }

  // What it refuses: zero or a negated errno.
  int attach_answer = 0;
  int tx_answer = 0;
  int rx_answer = 0;

  // Whether it is a kernel that can change keys: Linux 6.14.
  bool can_rekey = false;

  // What it was asked, refused or not, in its order: "attach", "rx", "tx".
  std::string calls;

  // Any record, also one that no TLS library would send.
  void Inject(uint8_t type, const std::string& body);

 private:
  struct Direction {
    uint16_t version = 0;
    bool explicit_nonce = false;
    std::vector<uint8_t> nonce;  // what the sequence number is XORed into; with explicit_nonce the salt
    uint64_t explicit_next = 0;
    uint64_t sequence = 0;
    bssl::UniquePtr<EVP_AEAD_CTX> aead;

    std::vector<uint8_t> Nonce(uint64_t explicit_part) const;
    std::vector<uint8_t> AdditionalData(uint8_t type, size_t length, const uint8_t header[5]) const;
  };

  std::optional<Direction> tx_;
  std::optional<Direction> rx_;
  // A KeyUpdate was delivered; nothing more is opened with the old keys.
  bool key_expired_ = false;
  // Of a record opened for a reader with less room.
  std::vector<uint8_t> rest_;
  uint8_t rest_type_ = 0;
};

}  // namespace aws_lc
