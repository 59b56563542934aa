/**
 * The inside of a server process: each file in `peers/` calls `servePeer` with a function that
 * starts its server. The outside is `booted-peer.ts`.
 */
import { readFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import type { CertificateFiles } from './certificate';
import { PIN } from './scenario';

/** Key and certificate in PEM, for the TLS peers. */
export interface Credentials {
  key: string;
  cert: string;
}

/** Options of a `node:tls` or `node:https` server with suite, group and version pinned. */
export function pinnedForNode({ key, cert }: Credentials) {
  return {
    key,
    cert,
    minVersion: PIN.protocol as 'TLSv1.3',
    ciphers: PIN.suite,
    ecdhCurve: PIN.group,
  };
}

/** The same for a server of ours. kTLS stays off: these rows compare userspace with userspace. */
export function pinnedForOurs({ key, cert }: Credentials) {
  return {
    key,
    cert,
    minVersion: PIN.protocol as 'TLSv1.3',
    cipherSuites: [PIN.suite],
    groups: [PIN.group],
    ktls: 'off' as const,
  };
}

/** Listens on a free port of 127.0.0.1 and resolves when connections are accepted. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Runs a peer: `start` resolves with the port that it serves on 127.0.0.1. */
export function servePeer(start: (credentials: Credentials) => Promise<number>): void {
  const files = JSON.parse(process.argv[2] ?? '') as CertificateFiles;
  const credentials = {
    key: readFileSync(files.key, 'utf8'),
    cert: readFileSync(files.cert, 'utf8'),
  };
  // The runner going away must not leave servers behind.
  process.once('disconnect', () => process.exit());
  start(credentials).then(
    (port) => process.send?.({ port }),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
