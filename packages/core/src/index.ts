import { DEFAULT_MAX_VERSION as NODE_MAX, DEFAULT_MIN_VERSION as NODE_MIN } from 'node:tls';
import * as alpnProtocols from './node-tls/alpn-protocols';
import { bindExports, type Assignable } from './node-tls/assignable';
import * as ciphers from './node-tls/ciphers';
import * as connecting from './node-tls/connect';
import * as roots from './node-tls/root-certificates';
import * as contexts from './node-tls/secure-context';
import * as serving from './node-tls/server';
import * as identity from './verify/identity';

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
  OcspRequest,
  PfxWithPassphrase,
  ServerConfigOptions,
  TlsVersion,
} from './config/options';
export type { RemotePrivateKey, SignatureAlgorithm } from './config/private-key';
export { ServerConfig } from './config/server-config';
export { ServerNames } from './config/server-names';
export { TlsConnector } from './connector';
export type { ConnectionTrace, HandshakeTrace } from './diagnostics/channels';
export { ConfigError, TlsError, type ConfigErrorCode, type TlsAlert, type TlsSide } from './errors';
export type { HandshakeLimits } from './http/admission';
export {
  createSecureServer,
  SecureServer,
  type RequestListener,
  type SecureServerOptions,
} from './http/create-secure-server';
export type { NamedContextOptions } from './http/contexts';
export { streamOfHttp2Request } from './http/http2';
export {
  hasHttpsFront,
  HttpsFront,
  type ConnectionFailure,
  type HttpsFrontSettings,
} from './http/https-front';
export type { HttpProtocol, HttpsOptions } from './http/options';
export type { RedirectHttpOptions } from './http/redirect';
export type { ResetLimits } from './http/reset-limit';
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
export type { TlsConnectOptions } from './node-tls/connect';
export { rootCertificates } from './node-tls/root-certificates';
export { SecureContext } from './node-tls/secure-context';
export { Server, type ServerOptions } from './node-tls/server';
export { TLSSocket, type TLSSocketOptions } from './node-tls/tls-socket';

// What users of node:tls assign to: data properties, where TypeScript makes getters of what is exported on.
/* eslint-disable prefer-const -- it is the users who assign */
export const connect = connecting.connect;
export const createServer = serving.createServer;
export const createSecureContext = contexts.createSecureContext;
export const checkServerIdentity = identity.checkServerIdentity;
export const convertALPNProtocols = alpnProtocols.convertALPNProtocols;
export const getCiphers = ciphers.getCiphers;
export const getCACertificates = roots.getCACertificates;
export const setDefaultCACertificates = roots.setDefaultCACertificates;
/** The cipher suites of connections that name none, as an OpenSSL list. Assign to it in CommonJS to change it. */
export let DEFAULT_CIPHERS = ciphers.defaultCiphers();
/** The groups of connections that name none; `'auto'` leaves them to AWS-LC. */
export let DEFAULT_ECDH_CURVE = 'auto';
/** The lowest protocol version of connections that name none. */
export let DEFAULT_MIN_VERSION: string = NODE_MIN;
/** The highest protocol version of connections that name none. */
export let DEFAULT_MAX_VERSION: string = NODE_MAX;
/** As `tls.CLIENT_RENEG_LIMIT`; AWS-LC does not renegotiate at all. */
export let CLIENT_RENEG_LIMIT = 3;
/** As `tls.CLIENT_RENEG_WINDOW`, seconds. */
export let CLIENT_RENEG_WINDOW = 600;

bindExports(exports as Assignable);

// What `import tls from '@node-aws-lc/core'` comes to where a compiler has made `require` of it.
Object.defineProperty(exports, 'default', { value: exports });
