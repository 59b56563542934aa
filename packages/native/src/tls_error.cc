#include "tls_error.h"

#include <uv.h>

namespace aws_lc {
namespace {

std::string OrEmpty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

}  // namespace

TlsError TlsError::System(const char* syscall, int error) {
  TlsError result;
  result.kind = Kind::kSystem;
  result.syscall = syscall;
  result.system_errno = error;
  return result;
}

TlsError TlsError::Eof() {
  TlsError result;
  result.kind = Kind::kEof;
  return result;
}

TlsError TlsError::FromErrorQueue() {
  TlsError result;
  result.kind = Kind::kProtocol;
  uint32_t packed = ERR_get_error();
  for (uint32_t next = packed; next != 0 && ERR_GET_LIB(packed) != ERR_LIB_SSL; next = ERR_get_error()) {
    if (ERR_GET_LIB(next) == ERR_LIB_SSL) packed = next;
  }
  if (packed != 0) {
    result.reason = OrEmpty(ERR_reason_error_string(packed));
    result.library = OrEmpty(ERR_lib_error_string(packed));
  }
  ERR_clear_error();
  return result;
}

Napi::Object TlsError::ToObject(Napi::Env env) const {
  Napi::Object object = Napi::Object::New(env);
  switch (kind) {
    case Kind::kNone:
      break;
    case Kind::kSystem:
      object.Set("kind", "system");
      object.Set("errno", Napi::Number::New(env, -system_errno));
      object.Set("code", uv_err_name(uv_translate_sys_error(system_errno)));
      object.Set("description", uv_strerror(uv_translate_sys_error(system_errno)));
      object.Set("syscall", syscall);
      break;
    case Kind::kProtocol:
      object.Set("kind", "protocol");
      object.Set("reason", reason);
      object.Set("library", library);
      break;
    case Kind::kVerification:
      object.Set("kind", "verification");
      object.Set("verifyResult", Napi::Number::New(env, static_cast<double>(verify_result)));
      object.Set("description", X509_verify_cert_error_string(verify_result));
      break;
    case Kind::kEof:
      object.Set("kind", "eof");
      break;
  }
  if (alert.direction != Alert::Direction::kNone) {
    Napi::Object js_alert = Napi::Object::New(env);
    js_alert.Set("direction", alert.direction == Alert::Direction::kSent ? "sent" : "received");
    js_alert.Set("level", Napi::Number::New(env, alert.level));
    js_alert.Set("code", Napi::Number::New(env, alert.description));
    js_alert.Set("name", SSL_alert_desc_string_long(alert.description));
    object.Set("alert", js_alert);
  }
  return object;
}

void ThrowFromErrorQueue(Napi::Env env, const char* what) {
  const TlsError error = TlsError::FromErrorQueue();
  Napi::Error js_error = Napi::Error::New(env, std::string(what) + ": " + error.reason);
  js_error.Set("operation", Napi::String::New(env, what));
  js_error.Set("reason", Napi::String::New(env, error.reason));
  js_error.Set("library", Napi::String::New(env, error.library));
  js_error.ThrowAsJavaScriptException();
}

}  // namespace aws_lc
