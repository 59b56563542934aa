/** `gnutls-serv` and `gnutls-cli`. */
import { Child } from '../../helpers/children.js';
import { freePort } from '../../helpers/redis.js';
import { gnutlsClient, missing } from '../../helpers/tools.js';
import type { CredentialFiles, Peer } from './cell.js';

const shown = ({ key, chain }: CredentialFiles): string[] => [
  ...['--x509keyfile', key],
  ...['--x509certfile', chain],
];

export const gnutls: Peer = {
  name: 'GnuTLS',
  missing: missing('gnutls-serv', 'gnutls-bin'),
  async serve(t, { version, handshake }, { serverFiles }) {
    const port = await freePort();
    const priority = [
      `NORMAL:-VERS-ALL:+VERS-${version === 'TLSv1.2' ? 'TLS1.2' : 'TLS1.3'}`,
      ...(handshake === 'HelloRetryRequest' ? ['-GROUP-ALL', '+GROUP-SECP384R1'] : []),
    ];
    const child = new Child(t, 'gnutls-serv', [
      ...['--echo', '--port', String(port), '--priority', priority.join(':')],
      ...shown(serverFiles),
      ...(handshake === 'mTLS'
        ? ['--require-client-cert', '--verify-client-cert', '--x509cafile', serverFiles.trust]
        : ['--disable-client-cert']),
    ]);
    // It says so before it does.
    await child.saw(/listening on IPv4 .*done/);
    return { port, answer: (line) => line };
  },
  async call(t, { handshake }, { clientFiles }, { port, line, answer }) {
    const { stdout } = await gnutlsClient(
      t,
      port,
      [
        ...['--x509cafile', clientFiles.trust, '--verify-hostname', 'localhost'],
        ...['--sni-hostname', 'localhost'],
        ...(handshake === 'mTLS' ? shown(clientFiles) : []),
        ...(handshake === 'resumed' ? ['--resume', '--waitresumption'] : []),
        // One share, and so the one that the server does not want.
        ...(handshake === 'HelloRetryRequest' ? ['--single-key-share'] : []),
      ],
      { input: `${line}\n` },
    );
    const [, version] = /Description: \(TLS(1\.\d)/.exec(stdout) ?? [];
    return {
      version: `TLSv${version}`,
      resumed: stdout.includes('This is a resumed session'),
      line: new RegExp(`^${answer}$`, 'm').exec(stdout)?.[0] ?? '',
    };
  },
};
