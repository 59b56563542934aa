// Registers what the addon offers. The contract is lib/index.d.ts.
#include <napi.h>

#include "algorithms.h"
#include "connection.h"
#include "context.h"
#include "entropy_work.h"
#include "env_data.h"
#include "file_source.h"
#include "host_probe.h"
#include "pkcs12.h"
#include "ticket_keys.h"
#include "trust_store.h"

namespace aws_lc {
namespace {

void SetCallbacks(const Napi::CallbackInfo& info) {
  EnvData::From(info.Env())->SetCallbacks(info[0].As<Napi::Object>());
}

void SetReadSlab(const Napi::CallbackInfo& info) {
  EnvData::From(info.Env())->SetReadSlab(info[0].As<Napi::Uint8Array>());
}

void SetWriteSlab(const Napi::CallbackInfo& info) {
  EnvData::From(info.Env())->SetWriteSlab(info[0].As<Napi::Uint8Array>());
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  EnvData::Create(env);
  EntropyWork::QueueOnce(EnvData::From(env)->shared_from_this());
  exports.Set("Connection", Connection::Define(env));
  exports.Set("Context", Context::Define(env));
  exports.Set("TicketKeys", TicketKeys::Define(env));
  exports.Set("FileSource", FileSource::Define(env));
  exports.Set("TrustStore", TrustStore::Define(env));
  exports.Set("cipherSuites", Napi::Function::New<ListCipherSuites>(env, "cipherSuites"));
  exports.Set("resolveCipherList", Napi::Function::New<ResolveCipherList>(env, "resolveCipherList"));
  exports.Set("groups", Napi::Function::New<ListGroups>(env, "groups"));
  exports.Set("libraryInfo", Napi::Function::New<LibraryInfo>(env, "libraryInfo"));
  exports.Set("probeKernelTls", Napi::Function::New<ProbeKernelTls>(env, "probeKernelTls"));
  exports.Set("readPkcs12", Napi::Function::New<ReadPkcs12>(env, "readPkcs12"));
  exports.Set("setCallbacks", Napi::Function::New<SetCallbacks>(env, "setCallbacks"));
  exports.Set("setReadSlab", Napi::Function::New<SetReadSlab>(env, "setReadSlab"));
  exports.Set("setWriteSlab", Napi::Function::New<SetWriteSlab>(env, "setWriteSlab"));
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)

}  // namespace
}  // namespace aws_lc
