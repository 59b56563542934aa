#include "js_error.h"

#include <uv.h>

#include <string>

namespace aws_lc {

Napi::Object ToObject(Napi::Env env, const TlsError& error) {
  Napi::Object object = Napi::Object::New(env);
  switch (error.kind) {
    case TlsError::Kind::kNone:
      break;
    case TlsError::Kind::kSystem:
      object.Set("kind", "system");
      object.Set("errno", Napi::Number::New(env, -error.system_errno));
      object.Set("code", uv_err_name(uv_translate_sys_error(error.system_errno)));
      object.Set("description", uv_strerror(uv_translate_sys_error(error.system_errno)));
      object.Set("syscall", error.syscall);
      break;
    case TlsError::Kind::kProtocol:
      object.Set("kind", "protocol");
      object.Set("reason", error.reason);
      object.Set("library", error.library);
      break;
    case TlsError::Kind::kVerification:
      object.Set("kind", "verification");
      object.Set("verifyResult", Napi::Number::New(env, static_cast<double>(error.verify_result)));
      object.Set("description", X509_verify_cert_error_string(error.verify_result));
      break;
    case TlsError::Kind::kEof:
      object.Set("kind", "eof");
      break;
  }
  if (error.alert.direction != Alert::Direction::kNone) {
    Napi::Object js_alert = Napi::Object::New(env);
    js_alert.Set("direction", error.alert.direction == Alert::Direction::kSent ? "sent" : "received");
    js_alert.Set("level", Napi::Number::New(env, error.alert.level));
    js_alert.Set("code", Napi::Number::New(env, error.alert.description));
    js_alert.Set("name", SSL_alert_desc_string_long(error.alert.description));
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

void ThrowSystemError(Napi::Env env, int error) {
  const int status = uv_translate_sys_error(error);
  Napi::Error js_error = Napi::Error::New(env, uv_strerror(status));
  js_error.Set("code", Napi::String::New(env, uv_err_name(status)));
  js_error.ThrowAsJavaScriptException();
}

}  // namespace aws_lc
