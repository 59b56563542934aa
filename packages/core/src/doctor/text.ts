import type { CipherReport, Report, Verdict } from './report';

type Row = [name: string, value: string];

const VERDICTS: Record<Verdict, string> = {
  kernel: 'The kernel encrypts and decrypts: every cipher, both directions.',
  part: 'The kernel does a part of it; the rest of TLS works in userspace.',
  userspace: 'TLS works in userspace; the kernel does none of it.',
};

/** The report for people, ending with a line end. */
export function toText(report: Report): string {
  const { versions, kernel, kernelTls } = report;
  const rekey = kernelTls.rekey ? 'the kernel can change keys' : 'ends the connection';
  const keyUpdate: Row[] = kernelTls.attachError === null ? [['KeyUpdate', rekey]] : [];
  const rows: Row[] = [
    ['library', `@node-aws-lc/core ${versions.core}, AWS-LC ${versions.awsLc}${fipsOf(report)}`],
    ['node', `${versions.node} on ${report.platform} ${report.arch}`],
    ['kernel', `${kernel.release}, from Linux ${kernel.upstream}`],
    ['running', runningIn(report)],
    ['tls module', moduleOf(report)],
    ['attach', kernelTls.attachError === null ? 'works' : `refused: ${kernelTls.attachError}`],
    ...kernelTls.ciphers.map((cipher): Row => [cipher.name, directionsOf(cipher)]),
    ...keyUpdate,
    [
      'receive path',
      kernelTls.receivePathSafe
        ? 'free of CVE-2025-39682 and CVE-2025-39946'
        : 'has CVE-2025-39682 and CVE-2025-39946, and is not used',
    ],
    ['counters', countersOf(report)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
  return `${VERDICTS[report.verdict]}\n\n${table}\n${toDo(report)}`;
}

function toDo({ findings }: Report): string {
  if (findings.length === 0) return '';
  return `\n${findings.map(({ advice }) => wrap(advice)).join('\n')}\n`;
}

function fipsOf({ versions }: Report): string {
  return versions.fips ? ' in FIPS mode: kernel TLS is off unless ktls requires it' : ', not FIPS';
}

function runningIn({ place, privileges }: Report): string {
  return [
    place.kind === 'host' ? 'no container' : `${place.kind}: ${place.evidence ?? ''}`,
    capabilitiesOf(privileges),
    ...(privileges.seccomp ? ['under a seccomp filter'] : []),
    ...(privileges.confinement === undefined ? [] : [`confined by ${privileges.confinement}`]),
  ].join('; ');
}

function capabilitiesOf({ netAdmin, sysModule }: Report['privileges']): string {
  if (netAdmin === null || sysModule === null) return 'capabilities not told by /proc';
  const held = [...(netAdmin ? ['CAP_NET_ADMIN'] : []), ...(sysModule ? ['CAP_SYS_MODULE'] : [])];
  return held.length === 0 ? 'neither CAP_NET_ADMIN nor CAP_SYS_MODULE' : held.join(', ');
}

function moduleOf({ kernelTls: { module, statisticsThere, attachError } }: Report): string {
  const statistics = `/proc/net/tls_stat is ${statisticsThere ? '' : 'not '}there`;
  // What was seen to work is there, whatever the files of a host without /proc say.
  const works = statisticsThere || attachError === null;
  const told = module.state === 'unknown' ? 'not loaded' : module.state;
  const state = works && told !== 'built in' ? 'loaded' : told;
  const kept = module.loadedAtBoot ? ', loaded at every boot' : '';
  return `${state}${kept}; ${statistics}`;
}

function directionsOf({ txError, rxError, driver }: CipherReport): string {
  const way = (error: string | null) => (error === null ? 'yes' : `no (${error})`);
  const by = driver === null ? '' : `, by ${driver}`;
  return `sending ${way(txError)}, receiving ${way(rxError)}${by}`;
}

function countersOf({ kernelTls: { statistics } }: Report): string {
  if (statistics === null) return 'none';
  const count = (name: string) => statistics[name] ?? 0;
  return (
    `${count('TlsCurrTxSw') + count('TlsCurrTxDevice')} connections sending and ` +
    `${count('TlsCurrRxSw') + count('TlsCurrRxDevice')} receiving now, ` +
    `${count('TlsTxSw') + count('TlsTxDevice')} and ${count('TlsRxSw') + count('TlsRxDevice')} ever; ` +
    `${count('TlsDecryptError')} decrypt errors`
  );
}

/** A list item of at most 80 columns. */
function wrap(text: string): string {
  const lines: string[] = [];
  let line = '  -';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > 80 && line !== '  -') {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}
