import type { HostFiles } from './host-files';

/**
 * What the kernel counts of TLS in this network namespace (`/proc/net/tls_stat`, Documentation/networking/tls.rst);
 * undefined when it has no TLS. Which counters there are depends on the kernel.
 */
export function tlsStatistics(files: HostFiles): Readonly<Record<string, number>> | undefined {
  const text = files.read('/proc/net/tls_stat');
  if (text === undefined) return undefined;
  const entries = [...text.matchAll(/^(\w+)\s+(\d+)$/gm)];
  return Object.fromEntries(entries.map(([, name = '', count]) => [name, Number(count)]));
}
