import type { HttpsFront, TlsStats } from '@node-aws-lc/core';
import type * as PromClient from 'prom-client';
import { AwsLcFastifyError } from './errors';

/** The part of prom-client's `Registry` that is used here. */
export interface MetricsRegistry {
  registerMetric(metric: never): void;
  metrics(): Promise<string>;
}

type Read = (stats: TlsStats) => number | Record<string, number>;

/** What is shown: name, help, the label that tells the values of one metric apart, and where they are. */
const COUNTERS: [name: string, help: string, label: string | undefined, read: Read][] = [
  ['handshakes_total', 'TLS handshakes that succeeded', undefined, (s) => s.handshakes],
  ['handshakes_by_version_total', '… by version', 'version', (s) => s.negotiated.protocol],
  ['handshakes_by_cipher_total', '… by cipher suite', 'cipher', (s) => s.negotiated.cipher],
  ['handshakes_by_group_total', '… by key exchange', 'group', (s) => s.negotiated.group],
  ['handshakes_by_alpn_total', '… by ALPN protocol', 'alpn', (s) => s.negotiated.alpn],
  ['handshakes_resumed_total', '… that resumed a session', undefined, (s) => s.negotiated.resumed],
  ['handshake_failures_total', 'TLS handshakes that failed', 'code', (s) => s.failures],
  [
    'ktls_connections_total',
    'Connections whose records the kernel does',
    'direction',
    ({ ktls: { tx, rx } }) => ({ tx, rx }),
  ],
  ['ktls_refused_total', 'Why it does not, for the others', 'reason', (s) => s.ktls.refused],
  ['bytes_total', 'Bytes of plaintext', 'direction', (s) => ({ ...s.bytes })],
];
const GAUGES: typeof COUNTERS = [
  ['connections', 'TLS connections open', undefined, (s) => s.connections],
  ['handshakes_pending', 'TLS handshakes under way', undefined, (s) => s.pending],
];

/**
 * Shows the figures of `stats()` as metrics of prom-client, read when they are asked for.
 *
 * @throws {AwsLcFastifyError} `ERR_AWS_LC_FASTIFY_PROM_CLIENT` if prom-client is not installed
 */
export function registerMetrics(front: HttpsFront, given?: MetricsRegistry): MetricsRegistry {
  const client = promClient();
  const registry = (given ?? client.register) as PromClient.Registry;
  const registers = [registry];

  for (const [name, help, label, read] of COUNTERS) {
    const labelNames = label === undefined ? [] : [label];
    new client.Counter({
      ...{ name: `tls_${name}`, help, labelNames, registers },
      collect() {
        this.reset();
        for (const [labels, value] of values(label, read(front.stats()))) this.inc(labels, value);
      },
    });
  }
  for (const [name, help, label, read] of GAUGES) {
    new client.Gauge({
      ...{ name: `tls_${name}`, help, registers },
      collect() {
        for (const [labels, value] of values(label, read(front.stats()))) this.set(labels, value);
      },
    });
  }
  return registry;
}

function values(
  label: string | undefined,
  read: number | Record<string, number>,
): [labels: Record<string, string>, value: number][] {
  if (typeof read === 'number') return [[{}, read]];
  return Object.entries(read).map(([key, value]) => [{ [label as string]: key }, value]);
}

/** An optional peer dependency. */
function promClient(): typeof PromClient {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('prom-client') as typeof PromClient;
  } catch (cause) {
    throw new AwsLcFastifyError('ERR_AWS_LC_FASTIFY_PROM_CLIENT', cause);
  }
}
