export { TlsAcceptor } from './acceptor';
export { awsLc } from './aws-lc';
export type { CertificateMaterial, CertificatePaths } from './certificates/pair';
export {
  watchCertificates,
  type CertificateWatcher,
  type WatchCertificatesOptions,
} from './certificates/watch-certificates';
export { ClientConfig } from './config/client-config';
export type {
  ClientConfigOptions,
  CommonOptions,
  ConnectOptions,
  HandshakeOptions,
  KeyWithPassphrase,
  Material,
  ServerConfigOptions,
  TlsVersion,
} from './config/options';
export { ServerConfig } from './config/server-config';
export { TlsConnector } from './connector';
export { ConfigError, TlsError, type ConfigErrorCode, type TlsAlert, type TlsSide } from './errors';
export type { HandshakeLimits } from './http/admission';
export {
  createSecureServer,
  SecureServer,
  type RequestListener,
  type SecureServerOptions,
} from './http/create-secure-server';
export { streamOfHttp2Request } from './http/http2';
export {
  hasHttpsFront,
  HttpsFront,
  type ConnectionFailure,
  type HttpsFrontSettings,
} from './http/https-front';
export type { HttpProtocol, HttpsOptions } from './http/options';
export type { RedirectHttpOptions } from './http/redirect';
export type { TlsStats } from './http/statistics';
export { http2Socket } from './http2/http2-socket';
export { hostKtls, hostKtlsAvailable, type HostKtls } from './ktls/host';
export type { KtlsMode, KtlsOption } from './ktls/policy';
export type { KtlsEligibility, KtlsStatus } from './ktls/status';
export { TicketKeyRotation, type TicketKeyRotationOptions } from './session/ticket-key-rotation';
export type { ScheduledTicketKey, TicketKeyProvider } from './session/ticket-key-provider';
export { redisTicketKeys, type RedisClient } from './session/redis-ticket-keys';
export { TicketKeys, type TicketKeyGeneration, type TicketKeySet } from './session/ticket-keys';
export type { Negotiated } from './stream/negotiated';
export type { SendFileOptions } from './stream/send-file';
export { TlsStream } from './stream/tls-stream';
