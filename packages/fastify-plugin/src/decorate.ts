import type { AddressInfo } from 'node:net';
import {
  streamOfHttp2Request,
  TlsStream,
  type HttpsFront,
  type HttpsOptions,
  type NamedContextOptions,
  type TlsStats,
} from '@node-aws-lc/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { registerMetrics, type MetricsRegistry } from './metrics';
import { RequestTls } from './request-tls';

/** `app.tls`: the TLS side of the server. */
export interface AppTls {
  /**
   * Changes certificate and key, or any other option, for the connections that come from now on;
   * open ones go on as they are. What is not given stays as it was, except that key, certificate and
   * passphrase are replaced together, and so are `ca` and `caFile`.
   *
   * @throws the errors of `ServerConfig`; then nothing has changed
   */
  setSecureContext(options: Partial<HttpsOptions>): void;
  /**
   * Serves clients that ask for this name (SNI) with other certificates, keys and client
   * authentication, from now on. Where a name demands a client certificate, a request for it that
   * comes on a connection made for another name is answered with 421.
   *
   * @param name - a host name, in which `*` stands for any characters of one label
   * @throws the errors of `ServerConfig`; then nothing has changed
   */
  addContext(name: string, options: NamedContextOptions): void;
  /** The figures of this moment. */
  stats(): TlsStats;
  /**
   * The same figures as metrics of the package `prom-client`, an optional peer dependency, named
   * `tls_…`. For text: `await app.tls.registerMetrics().metrics()`.
   *
   * @param registry - where to register them; default: prom-client's global one
   * @returns the registry
   * @throws {AwsLcFastifyError} `ERR_AWS_LC_FASTIFY_PROM_CLIENT` if prom-client is not installed
   */
  registerMetrics<Registry extends MetricsRegistry = MetricsRegistry>(
    registry?: Registry,
  ): Registry;
  /** Where the listeners of `redirectHttp` listen. */
  redirectAddresses(): AddressInfo[];
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The TLS side of the server. There once `@node-aws-lc/fastify-plugin` is registered. */
    tls: AppTls;
  }

  interface FastifyRequest {
    /** The TLS connection that carried this request; `null` under `inject()`. */
    readonly tls: RequestTls | null;
  }
}

/** Gives an application `app.tls` and `request.tls`, and makes it name all of its addresses. */
export function decorate(root: FastifyInstance, front: HttpsFront): void {
  root.decorate('tls', {
    setSecureContext: (options) => front.setSecureContext(options),
    addContext: (name, options) => front.addContext(name, options),
    stats: () => front.stats(),
    registerMetrics: <Registry extends MetricsRegistry>(registry?: Registry) =>
      registerMetrics(front, registry) as Registry,
    redirectAddresses: () => front.redirectAddresses(),
  });
  root.decorateRequest('tls', {
    getter(this: FastifyRequest) {
      return requestTls(this);
    },
  });

  const addresses = root.addresses.bind(root);
  // The server's own address stays last: `listeningOrigin` is made from that one.
  root.addresses = () => [...front.addresses(), ...addresses()];
}

const known = new WeakMap<TlsStream, RequestTls>();

function requestTls({ raw }: FastifyRequest): RequestTls | null {
  const stream = streamOfHttp2Request(raw) ?? raw.socket;
  if (!(stream instanceof TlsStream)) return null;

  let tls = known.get(stream);
  if (tls === undefined) known.set(stream, (tls = new RequestTls(stream)));
  return tls;
}
