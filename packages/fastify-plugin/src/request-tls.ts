import type { X509Certificate } from 'node:crypto';
import type { TlsStream } from '@node-aws-lc/core';

/** `request.tls`: the TLS connection that carried a request. */
export class RequestTls {
  readonly #stream: TlsStream;

  /** @internal */
  constructor(stream: TlsStream) {
    this.#stream = stream;
  }

  /** Protocol version, cipher suite, group, ALPN, server name, and whether the session was resumed. */
  get negotiated(): TlsStream['negotiated'] {
    return this.#stream.negotiated;
  }

  /** Which directions the kernel encrypts, and why not when it does not. */
  get ktls(): TlsStream['ktls'] {
    return this.#stream.ktls;
  }

  /** Whether the client showed a certificate that leads to `ca`. */
  get authorized(): boolean {
    return this.#stream.authorized;
  }

  /** The client's certificate; `undefined` if it showed none. */
  peerCertificate(): X509Certificate | undefined {
    return this.#stream.getPeerX509Certificate();
  }
}
