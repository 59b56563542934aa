// What is left of a direction's keys once the kernel has them.
#include <openssl/evp.h>

#include <algorithm>
#include <vector>

#include "library_keys.h"
#include "link.h"
#include "sealing_kernel.h"
#include "subject.h"
#include "tap.h"

namespace aws_lc {
namespace {

std::vector<uint8_t> Secret(const Engine& engine, KtlsDirection direction) {
  std::vector<uint8_t> secret(EVP_MAX_MD_SIZE);
  size_t length = secret.size();
  REQUIRE((direction == KtlsDirection::kTx ? SSL_get_write_traffic_secret(engine.ssl(), secret.data(), &length)
                                           : SSL_get_read_traffic_secret(engine.ssl(), secret.data(), &length)) == 1);
  secret.resize(length);
  return secret;
}

bool IsWiped(const std::vector<uint8_t>& secret) {
  return std::all_of(secret.begin(), secret.end(), [](uint8_t byte) { return byte == 0; });
}

TEST("libssl forgets the traffic secret of each direction that the kernel has, and of no other") {
  for (const Suite& suite : kTls13Suites) {
    for (const bool server : {false, true}) {
      for (const bool can_rekey : {false, true}) {
        for (KtlsRequest request : {kTxOnly, kRxOnly, kBoth}) {
          tap::Case row(std::string(suite.name) + (server ? " server" : " client") + (request.tx ? " tx" : "") +
                        (request.rx ? " rx" : "") + (can_rekey ? " rekeying" : ""));
          request.can_rekey = can_rekey;
          Subject subject(suite, server, request);
          CHECK_EQ(IsWiped(Secret(subject.engine, KtlsDirection::kTx)), request.tx);
          CHECK_EQ(IsWiped(Secret(subject.engine, KtlsDirection::kRx)), request.rx);
          CHECK_WORKS(subject.link);
        }
      }
    }
  }
}

TEST("a direction that the kernel refuses keeps its keys") {
  for (const Suite& suite : kTls13Suites) {
    SealingKernel kernel;
    kernel.tx_answer = kernel.rx_answer = -1;
    WireEnd peer_end;
    Link link(suite, &peer_end, &kernel);
    link.server().RequestKernelTls(kBoth);
    link.Handshake();
    CHECK(!IsWiped(Secret(link.server(), KtlsDirection::kTx)));
    CHECK(!IsWiped(Secret(link.server(), KtlsDirection::kRx)));
    CHECK_WORKS(link);
  }
}

TEST("libssl forgets the cipher too: what it seals nobody opens, and it opens nothing; every suite") {
  for (const Suite& suite : EligibleSuites()) {
    for (const bool server : {false, true}) {
      tap::Case row(std::string(suite.name) + (server ? " server" : " client"));
      WireEnd client_end;
      WireEnd server_end;
      Link sending(suite, &client_end, &server_end);
      sending.Handshake();
      CHECK_WORKS(sending);
      ForgetKeys(sending.engine(server).ssl(), KtlsDirection::kTx);
      Write(&sending.engine(server), "under no key of theirs");
      CHECK_EQ(Describe(ReadAll(&sending.engine(!server)), sending.engine(!server)),
               "error DECRYPTION_FAILED_OR_BAD_RECORD_MAC, sent 20");

      WireEnd other_client_end;
      WireEnd other_server_end;
      Link receiving(suite, &other_client_end, &other_server_end);
      receiving.Handshake();
      CHECK_WORKS(receiving);
      ForgetKeys(receiving.engine(server).ssl(), KtlsDirection::kRx);
      Write(&receiving.engine(!server), "for whoever has the key");
      CHECK_EQ(Describe(ReadAll(&receiving.engine(server)), receiving.engine(server)),
               "error DECRYPTION_FAILED_OR_BAD_RECORD_MAC, sent 20");
    }
  }
}

TEST("without its keys libssl still says what was agreed on and derives what is not a direction's own") {
  for (const Suite& suite : EligibleSuites()) {
    tap::Case row(suite.name);
    Subject subject(suite, true, kBoth);
    const SSL* ssl = subject.engine.ssl();
    CHECK_EQ(SSL_version(ssl), suite.version);
    CHECK_EQ(SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)), suite.name);
    std::vector<uint8_t> ours(32);
    std::vector<uint8_t> theirs(32);
    for (const auto& [engine, out] : {std::pair(&subject.engine, &ours), std::pair(&subject.peer, &theirs)}) {
      CHECK_EQ(SSL_export_keying_material(engine->ssl(), out->data(), out->size(), "EXPERIMENTAL x", 14, nullptr, 0, 0),
               1);
    }
    CHECK(ours == theirs);
    CHECK(End(&subject.engine) == Engine::FlushStatus::kDone);
    CHECK_EQ(Describe(ReadAll(&subject.peer), subject.peer), "close_notify");
    CHECK(End(&subject.peer) == Engine::FlushStatus::kDone);
    CHECK_EQ(Describe(ReadAll(&subject.engine), subject.engine), "close_notify");
  }
}

TEST("a connection with one direction in the kernel goes on changing the keys of the other") {
  for (const bool server : {false, true}) {
    Subject receiving(kTls13, server, kRxOnly);
    CHECK(receiving.engine.UpdateKeys());
    receiving.engine.Flush();
    Write(&receiving.engine, "under new keys");
    CHECK_EQ(ReadAll(&receiving.peer).data, "under new keys");

    Subject sending(kTls13, server, kTxOnly);
    for (int i = 0; i < 3; i++) {
      REQUIRE(SSL_key_update(sending.peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED));
      CHECK_WORKS(sending.link);
    }
  }
}

}  // namespace
}  // namespace aws_lc
