/**
 * `import '@node-aws-lc/core/register'`, before anything that connects: from then on `tls.connect`, `tls.createServer`,
 * `https.request`, `https.get`, `https.Agent`, `https.createServer`, `http2.connect` and `http2.createSecureServer` use
 * AWS-LC, for CommonJS and for ES modules, and with them every library that is built on those. Once a process; there is
 * no way back.
 */
import https from 'node:https';
import module from 'node:module';
import tls from 'node:tls';
import * as core from './index';
import { connectHttp2 } from './node-tls/http2-client';
import { adaptSockets, http2ServerClass } from './node-tls/http2-server';

const REPLACED = [
  'SecureContext',
  'Server',
  'TLSSocket',
  'checkServerIdentity',
  'connect',
  'convertALPNProtocols',
  'createSecureContext',
  'createServer',
  'getCACertificates',
  'getCiphers',
  'setDefaultCACertificates',
] as const;

/** What users assign to; both modules show one value. */
const SHARED = [
  'DEFAULT_CIPHERS',
  'DEFAULT_ECDH_CURVE',
  'DEFAULT_MAX_VERSION',
  'DEFAULT_MIN_VERSION',
] as const;

/** Puts one class in the place of another that `derived` inherits from. */
function inherit(derived: { prototype: object }, base: { prototype: object }): void {
  Object.setPrototypeOf(derived, base);
  Object.setPrototypeOf(derived.prototype, base.prototype);
}

function register(): void {
  for (const name of REPLACED) {
    // Whoever looks whether this Node has a function finds what it has.
    if (name in tls) Object.assign(tls, { [name]: core[name] });
  }
  const exports = core as unknown as Record<string, unknown>;
  for (const name of SHARED) {
    Object.defineProperty(tls, name, {
      configurable: true,
      enumerable: true,
      get: () => exports[name],
      set: (value: unknown) => {
        exports[name] = value;
      },
    });
  }
  inherit(https.Server, core.Server);
  const http2Server = http2ServerClass();
  inherit(http2Server, core.Server);
  adaptSockets(http2Server);
  connectHttp2();
  module.syncBuiltinESMExports();
}

register();
