#include "verification.h"

namespace aws_lc {
namespace {

// Microseconds. Sending work to another thread and hearing of its end takes a third of that (docs/verification.md).
constexpr size_t kCostly = 125;
// Bytes. There is no telling what a certificate says that needs more.
constexpr int kLongCertificate = 8192;
// Ecdsa-Sig-Value in DER (RFC 3279, section 2.2.3).
constexpr size_t kLongestP256Signature = 72;
constexpr size_t kLongestP384Signature = 104;

// Lets the verification go on to its end, as Node's does: users match on the code of the last error, which is
// UNABLE_TO_VERIFY_LEAF_SIGNATURE where the first was UNABLE_TO_GET_ISSUER_CERT_LOCALLY.
int NoteVerifyError(int ok, X509_STORE_CTX* store) {
  auto* first_error = static_cast<long*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  if (!ok && *first_error == X509_V_OK) *first_error = X509_STORE_CTX_get_error(store);
  return 1;
}

// What OpenSSL's security level 2 asks of a chain, and AWS-LC, which has no levels, does not: keys of 112 bits of
// security, and no signature over a digest that collides, the root's own excepted.
bool HasWeakKey(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  return key == nullptr || (EVP_PKEY_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) < 2048);
}

bool HasWeakSignature(const X509* certificate) {
  int digest = NID_undef;
  int key = NID_undef;
  if (!OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, &key)) return false;
  return digest == NID_sha1 || digest == NID_md5 || digest == NID_md4;
}

long CheckStrength(const STACK_OF(X509)* chain) {
  for (size_t i = 0; i < sk_X509_num(chain); i++) {
    X509* certificate = sk_X509_value(chain, i);
    if (HasWeakKey(certificate)) return i == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL;
    if (i + 1 < sk_X509_num(chain) && HasWeakSignature(certificate)) return X509_V_ERR_CA_MD_TOO_WEAK;
  }
  return X509_V_OK;
}

long Verify(const PeerChain& peer, unsigned long flags, bssl::UniquePtr<STACK_OF(X509)>* out_chain) {
  bssl::UniquePtr<X509_STORE_CTX> store(X509_STORE_CTX_new());
  STACK_OF(X509)* chain = peer.certificates.get();
  const char* purpose = peer.is_client ? "ssl_client" : "ssl_server";
  long first_error = X509_V_OK;
  if (store == nullptr || !X509_STORE_CTX_init(store.get(), peer.roots.get(), sk_X509_value(chain, 0), chain) ||
      !X509_STORE_CTX_set_default(store.get(), purpose) ||
      !X509_STORE_CTX_set_ex_data(store.get(), SSL_get_ex_data_X509_STORE_CTX_idx(), &first_error)) {
    return X509_V_ERR_OUT_OF_MEM;
  }
  X509_STORE_CTX_set_flags(store.get(), flags);
  X509_STORE_CTX_set_verify_cb(store.get(), NoteVerifyError);
  const bool verified = X509_verify_cert(store.get()) == 1;
  ERR_clear_error();
  const long last_error = X509_STORE_CTX_get_error(store.get());
  if (last_error != X509_V_OK) return last_error;
  // Never let a failure that left no verdict behind pass for a success.
  if (first_error != X509_V_OK) return first_error;
  if (!verified) return X509_V_ERR_UNSPECIFIED;
  if (const long weakness = CheckStrength(X509_STORE_CTX_get0_chain(store.get())); weakness != X509_V_OK) return weakness;
  if (out_chain != nullptr) out_chain->reset(X509_STORE_CTX_get1_chain(store.get()));
  return X509_V_OK;
}

bool IsSelfSigned(X509* certificate) {
  if (X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) != 0) return false;
  const bool verified = X509_verify(certificate, X509_get0_pubkey(certificate)) == 1;
  ERR_clear_error();
  return verified;
}

// Microseconds, roughly, that checking this certificate's signature takes.
size_t CostOfSignature(const X509* certificate) {
  const ASN1_BIT_STRING* signature = nullptr;
  X509_get0_signature(&signature, nullptr, certificate);
  const auto length = static_cast<size_t>(ASN1_STRING_length(signature));
  int digest = NID_undef;
  int key = NID_undef;
  OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, &key);
  switch (key) {
    case NID_rsaEncryption:
      return 12 + length * length / 2800;
    case NID_X9_62_id_ecPublicKey:
      if (length <= kLongestP256Signature) return 80;
      return length <= kLongestP384Signature ? 250 : 500;
    case NID_ED25519:
      return 60;
    default:
      return kCostly;
  }
}

// Whether the leaf's issuer is there and may not issue, which OpenSSL says and AWS-LC passes over.
bool IsIssuedByNoSigner(const STACK_OF(X509)* chain) {
  X509* leaf = sk_X509_value(chain, 0);
  bool found = false;
  for (size_t i = 1; i < sk_X509_num(chain) && !found; i++) {
    found = X509_check_issued(sk_X509_value(chain, i), leaf) == X509_V_ERR_KEYUSAGE_NO_CERTSIGN;
  }
  ERR_clear_error();
  return found;
}

bool Contains(X509_STORE* store, X509* certificate) {
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(store);
  for (size_t i = 0; i < sk_X509_OBJECT_num(objects); i++) {
    X509* candidate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (candidate != nullptr && X509_cmp(candidate, certificate) == 0) return true;
  }
  return false;
}

}  // namespace

PeerChain PeerChainOf(const SSL* ssl, bool peer_is_client) {
  PeerChain peer;
  peer.is_client = peer_is_client;
  STACK_OF(X509)* chain = SSL_get_peer_full_cert_chain(ssl);
  if (chain != nullptr) peer.certificates.reset(X509_chain_up_ref(chain));
  X509_STORE* roots = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
  X509_STORE_up_ref(roots);
  peer.roots.reset(roots);
  return peer;
}

bool IsCostlyToVerify(const PeerChain& peer) {
  constexpr unsigned long kListsChecked = X509_V_FLAG_CRL_CHECK;
  if ((X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(peer.roots.get())) & kListsChecked) != 0) return true;
  size_t cost = 0;
  for (size_t i = 0; i < sk_X509_num(peer.certificates.get()); i++) {
    X509* certificate = sk_X509_value(peer.certificates.get(), i);
    if (i2d_X509(certificate, nullptr) > kLongCertificate) return true;
    // Each of them is held against each of the names.
    if (X509_get_ext_by_NID(certificate, NID_name_constraints, -1) >= 0) return true;
    cost += CostOfSignature(certificate);
  }
  return cost >= kCostly;
}

long VerifyChain(const PeerChain& peer, bssl::UniquePtr<STACK_OF(X509)>* out_chain) {
  const STACK_OF(X509)* chain = peer.certificates.get();
  if (chain == nullptr || sk_X509_num(chain) == 0) return X509_V_ERR_UNSPECIFIED;
  const long result = Verify(peer, 0, out_chain);
  // The second where a root of the same name was taken for a self-signed certificate's issuer.
  if (result != X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE && result != X509_V_ERR_CERT_SIGNATURE_FAILURE) return result;
  // AWS-LC takes a certificate without keyCertSign for nobody's issuer, its own included. OpenSSL knows such a
  // certificate for self-signed and trusts it where it is a root itself: what development certificates look like.
  X509* leaf = sk_X509_value(chain, 0);
  const bool self_signed = IsSelfSigned(leaf);
  if (result == X509_V_ERR_CERT_SIGNATURE_FAILURE && !self_signed) return result;
  if (!self_signed || !Contains(peer.roots.get(), leaf)) {
    // OpenSSL looks at the dates even of a certificate that nobody vouches for.
    if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) return X509_V_ERR_CERT_HAS_EXPIRED;
    if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) return X509_V_ERR_CERT_NOT_YET_VALID;
    if (self_signed) return X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
    return IsIssuedByNoSigner(chain) ? X509_V_ERR_KEYUSAGE_NO_CERTSIGN : result;
  }
  return Verify(peer, X509_V_FLAG_PARTIAL_CHAIN, out_chain);
}

}  // namespace aws_lc
