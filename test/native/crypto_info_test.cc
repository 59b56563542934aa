// The bytes that setsockopt(2) is given, against known answers, and against a peer that shares no code with us.
#include <cstring>

#include "link.h"
#include "scripted_kernel.h"
#include "sealing_kernel.h"
#include "tap.h"

namespace aws_lc {
namespace {

std::vector<uint8_t> FromHex(std::string_view hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::vector<uint8_t> Counting(size_t length) {
  std::vector<uint8_t> bytes(length);
  for (size_t i = 0; i < length; i++) bytes[i] = static_cast<uint8_t>(i);
  return bytes;
}

const SSL_CIPHER* Cipher(uint16_t id) {
  const SSL_CIPHER* cipher = SSL_get_cipher_by_value(id);
  REQUIRE(cipher != nullptr);
  return cipher;
}

constexpr uint16_t kAes128GcmSha256 = 0x1301;
constexpr uint16_t kAes256GcmSha384 = 0x1302;
constexpr uint16_t kChaCha20Poly1305Sha256 = 0x1303;

template <typename Info>
Info As(const KernelCryptoInfo& info) {
  REQUIRE(info.size() == sizeof(Info));
  Info result;
  std::memcpy(&result, info.data(), sizeof(result));
  return result;
}

// `iv` is the whole nonce of TLS 1.3, in the order in which the kernel puts salt and iv together.
template <typename Info>
void CheckGcm(const KernelCryptoInfo& info, uint16_t version, uint16_t type, std::string_view key,
              std::string_view salt, std::string_view iv, std::string_view sequence) {
  const auto filled = As<Info>(info);
  CHECK_EQ(filled.info.version, version);
  CHECK_EQ(filled.info.cipher_type, type);
  CHECK_EQ(tap::Hex(filled.key), key);
  CHECK_EQ(tap::Hex(filled.salt), salt);
  CHECK_EQ(tap::Hex(filled.iv), iv);
  CHECK_EQ(tap::Hex(filled.rec_seq), sequence);
}

void CheckChaCha(const KernelCryptoInfo& info, uint16_t version, std::string_view key, std::string_view iv,
                 std::string_view sequence) {
  const auto filled = As<tls12_crypto_info_chacha20_poly1305>(info);
  CHECK_EQ(filled.info.version, version);
  CHECK_EQ(filled.info.cipher_type, TLS_CIPHER_CHACHA20_POLY1305);
  CHECK_EQ(tap::Hex(filled.key), key);
  CHECK_EQ(tap::Hex(filled.iv), iv);
  CHECK_EQ(tap::Hex(filled.rec_seq), sequence);
}

// --- TLS 1.3 --------------------------------------------------------------------------------------------------------

TEST("crypto info: the traffic secrets of RFC 8448, section 3, give its keys (AES-128-GCM)") {
  KernelCryptoInfo server;
  REQUIRE(server.AssignTls13(Cipher(kAes128GcmSha256),
                             FromHex("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"), 0));
  CheckGcm<tls12_crypto_info_aes_gcm_128>(server, 0x0304, 51, "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88",
                                          "dd83549aadf1e984", "0000000000000000");
  KernelCryptoInfo client;
  REQUIRE(client.AssignTls13(Cipher(kAes128GcmSha256),
                             FromHex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"), 2));
  CheckGcm<tls12_crypto_info_aes_gcm_128>(client, 0x0304, 51, "17422dda596ed5d9acd890e3c63f5051", "5b78923d",
                                          "ee08579033e523d9", "0000000000000002");
}

// The answers of the next two are HKDF-Expand-Label (RFC 8446, section 7.1) as Python's hmac computes it:
//   def expand_label(digest, secret, label, length):   # length up to the digest's
//       info = length.to_bytes(2, 'big') + bytes([6 + len(label)]) + b'tls13 ' + label + b'\0' + b'\x01'
//       return hmac.new(secret, info, digest).digest()[:length]
// with the secret bytes(range(48)) for sha384 and bytes(range(32)) for sha256, and the labels b'key' and b'iv'.
TEST("crypto info: TLS 1.3 AES-256-GCM expands with SHA-384") {
  KernelCryptoInfo info;
  REQUIRE(info.AssignTls13(Cipher(kAes256GcmSha384), Counting(48), 0x0102030405060708));
  CheckGcm<tls12_crypto_info_aes_gcm_256>(info, 0x0304, 52,
                                          "6877d022f1c61d24ebb7487c16752d9a4798e40431c75b39320e537c90e23225",
                                          "42822531", "a0fe88648fc09e9f", "0102030405060708");
}

TEST("crypto info: TLS 1.3 ChaCha20-Poly1305 has its whole nonce in the iv") {
  KernelCryptoInfo info;
  REQUIRE(info.AssignTls13(Cipher(kChaCha20Poly1305Sha256), Counting(32), 0xfffefdfcfbfaf9f8));
  CheckChaCha(info, 0x0304, "2ffbc449e87844051c7768f61ffd8ad070830f01ec2c520ef65f08e8296dffa0",
              "2f41c846a431a163814bcd71", "fffefdfcfbfaf9f8");
}

// --- TLS 1.2 --------------------------------------------------------------------------------------------------------

// client_write_key, server_write_key, client_write_IV, server_write_IV: RFC 5246, section 6.3; no MAC keys.
TEST("crypto info: a TLS 1.2 key block of AES-128-GCM is split by sides, and the explicit nonce is the sequence") {
  for (const uint16_t id : {0xc02b, 0xc02f, 0x009c}) {  // ECDHE-ECDSA, ECDHE-RSA, RSA
    KernelCryptoInfo client;
    REQUIRE(client.AssignTls12(Cipher(id), Counting(40), true, 1));
    CheckGcm<tls12_crypto_info_aes_gcm_128>(client, 0x0303, 51, "000102030405060708090a0b0c0d0e0f", "20212223",
                                            "0000000000000001", "0000000000000001");
    KernelCryptoInfo server;
    REQUIRE(server.AssignTls12(Cipher(id), Counting(40), false, 0x0102030405060708));
    CheckGcm<tls12_crypto_info_aes_gcm_128>(server, 0x0303, 51, "101112131415161718191a1b1c1d1e1f", "24252627",
                                            "0102030405060708", "0102030405060708");
  }
}

TEST("crypto info: a TLS 1.2 key block of AES-256-GCM is split by sides") {
  for (const uint16_t id : {0xc02c, 0xc030, 0x009d}) {
    KernelCryptoInfo client;
    REQUIRE(client.AssignTls12(Cipher(id), Counting(72), true, 1));
    CheckGcm<tls12_crypto_info_aes_gcm_256>(client, 0x0303, 52,
                                            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                                            "40414243", "0000000000000001", "0000000000000001");
    KernelCryptoInfo server;
    REQUIRE(server.AssignTls12(Cipher(id), Counting(72), false, 2));
    CheckGcm<tls12_crypto_info_aes_gcm_256>(server, 0x0303, 52,
                                            "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
                                            "44454647", "0000000000000002", "0000000000000002");
  }
}

TEST("crypto info: a TLS 1.2 key block of ChaCha20-Poly1305 has whole nonces (RFC 7905)") {
  for (const uint16_t id : {0xcca9, 0xcca8}) {
    KernelCryptoInfo client;
    REQUIRE(client.AssignTls12(Cipher(id), Counting(88), true, 1));
    CheckChaCha(client, 0x0303, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                "404142434445464748494a4b", "0000000000000001");
    KernelCryptoInfo server;
    REQUIRE(server.AssignTls12(Cipher(id), Counting(88), false, 256));
    CheckChaCha(server, 0x0303, "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
                "4c4d4e4f5051525354555657", "0000000000000100");
  }
}

TEST("crypto info: a key block of another length is refused") {
  for (const size_t length : {0, 39, 41, 72}) {
    KernelCryptoInfo info;
    CHECK(!info.AssignTls12(Cipher(0xc02b), Counting(length), true, 1));
  }
}

// --- eligibility ----------------------------------------------------------------------------------------------------

TEST("crypto info: eligible are AES-GCM and ChaCha20-Poly1305 in TLS 1.2 and 1.3, and nothing else") {
  for (const uint16_t id : {0x1301, 0x1302, 0x1303}) CHECK(KernelCryptoInfo::IsEligible(TLS1_3_VERSION, Cipher(id)));
  for (const uint16_t id : {0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0x009c, 0x009d}) {
    CHECK(KernelCryptoInfo::IsEligible(TLS1_2_VERSION, Cipher(id)));
  }
  // AES-CBC with SHA-1 and SHA-256.
  for (const uint16_t id : {0xc009, 0xc00a, 0xc013, 0xc014, 0x002f, 0x0035, 0xc027}) {
    CHECK(!KernelCryptoInfo::IsEligible(TLS1_2_VERSION, Cipher(id)));
  }
  CHECK(!KernelCryptoInfo::IsEligible(TLS1_1_VERSION, Cipher(0xc013)));
  CHECK(!KernelCryptoInfo::IsEligible(TLS1_1_VERSION, Cipher(0xc02b)));
  CHECK(!KernelCryptoInfo::IsEligible(TLS1_2_VERSION, nullptr));
  KernelCryptoInfo info;
  CHECK(!info.AssignTls12(Cipher(0xc013), Counting(40), true, 1));
}

TEST("an ineligible suite or version is not even attached") {
  for (const uint16_t version : {TLS1_2_VERSION, TLS1_1_VERSION}) {
    tap::Case row(std::to_string(version));
    const Suite suite = {version, "ECDHE-ECDSA-AES128-SHA"};
    ScriptedKernel client;
    ScriptedKernel server;
    Link link(suite, &client, &server);
    link.client().RequestKernelTls(kBoth);
    link.server().RequestKernelTls(kBoth);
    link.Handshake();
    CHECK_EQ(client.Calls(), "");
    CHECK_EQ(server.Calls(), "");
    CHECK(link.client().tx() == RecordLayer::kUserspace);
    CHECK(link.client().rx() == RecordLayer::kUserspace);
    CHECK_WORKS(link);
  }
}

// --- live connections -----------------------------------------------------------------------------------------------

// rec_seq is the last member of every variant.
uint64_t Sequence(const std::vector<uint8_t>& info) {
  uint64_t sequence = 0;
  for (size_t i = info.size() - 8; i < info.size(); i++) sequence = sequence << 8 | info[i];
  return sequence;
}

std::vector<uint8_t> WithoutSequence(const std::vector<uint8_t>& info) { return {info.begin(), info.end() - 8}; }

TEST("the sequence number counts what libssl has sent and received, tickets and Finished included") {
  for (const bool tls13 : {true, false}) {
    tap::Case row(tls13 ? "TLS 1.3" : "TLS 1.2");
    ScriptedKernel client;
    ScriptedKernel server;
    Link link(tls13 ? kTls13 : kTls12, &client, &server);
    link.client().RequestKernelTls(kBoth);
    link.server().RequestKernelTls(kBoth);
    link.Handshake();
    REQUIRE(client.tx_installed() && client.rx_installed() && server.tx_installed() && server.rx_installed());
    CHECK_EQ(Sequence(client.tx_info), tls13 ? 0 : 1);
    CHECK_EQ(Sequence(client.rx_info), tls13 ? 0 : 1);
    CHECK_EQ(Sequence(server.rx_info), tls13 ? 0 : 1);
    // In TLS 1.3 that is the record with the tickets, which the client's kernel is the first to open.
    CHECK_EQ(Sequence(server.tx_info), 1);
    CHECK(WithoutSequence(client.rx_info) == WithoutSequence(server.tx_info));
    CHECK(client.tx_info == server.rx_info);
    CHECK(client.tx_info != client.rx_info);
  }
}

TEST("what one side's kernel seals the other side's libssl opens, and the reverse: every suite, side and direction") {
  for (const Suite& suite : EligibleSuites()) {
    for (const KtlsRequest& request : {kTxOnly, kRxOnly, kBoth}) {
      for (const bool server_has_kernel : {false, true}) {
        tap::Case row(std::string(suite.name) + (request.tx ? " tx" : "") + (request.rx ? " rx" : "") +
                      (server_has_kernel ? " server" : " client"));
        SealingKernel kernel;
        WireEnd plain;
        Link link(suite, server_has_kernel ? &plain : &kernel, server_has_kernel ? &kernel : &plain);
        Engine& engine = link.engine(server_has_kernel);
        engine.RequestKernelTls(request);
        link.Handshake();
        CHECK(engine.tx() == (request.tx ? RecordLayer::kKernel : RecordLayer::kUserspace));
        CHECK(engine.rx() == (request.rx ? RecordLayer::kKernel : RecordLayer::kUserspace));
        CHECK_WORKS(link);
        CHECK_WORKS(link);
      }
    }
  }
}

TEST("two kernels understand each other: every suite") {
  for (const Suite& suite : EligibleSuites()) {
    tap::Case row(suite.name);
    SealingKernel client;
    SealingKernel server;
    Link link(suite, &client, &server);
    link.client().RequestKernelTls(kBoth);
    link.server().RequestKernelTls(kBoth);
    link.Handshake();
    CHECK_WORKS(link);
    CHECK_WORKS(link);
    CHECK_EQ(link.client().TakeNewSessions().size(), suite.version == TLS1_3_VERSION ? 2 : 1);
    CHECK(End(&link.client()) == Engine::FlushStatus::kDone);
    CHECK_EQ(Describe(ReadOnEvent(&link.server()), link.server()), "close_notify");
    CHECK(End(&link.server()) == Engine::FlushStatus::kDone);
    CHECK_EQ(Describe(ReadOnEvent(&link.client()), link.client()), "close_notify");
  }
}

TEST("an install after much data goes on at the right record: every suite") {
  for (const Suite& suite : EligibleSuites()) {
    tap::Case row(suite.name);
    SealingKernel client;
    WireEnd server;
    Link link(suite, &client, &server);
    link.client().RequestKernelTls({true, true, 300 * 1024});
    link.Handshake();
    for (int i = 0; i < 3; i++) CHECK_WORKS(link);
    CHECK(link.client().tx() == RecordLayer::kUserspace);
    for (int i = 0; i < 3; i++) CHECK_WORKS(link);
    CHECK(link.client().tx() == RecordLayer::kKernel);
    CHECK(link.client().rx() == RecordLayer::kKernel);
  }
}

}  // namespace
}  // namespace aws_lc
