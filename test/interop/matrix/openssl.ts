/** `openssl s_server` and `openssl s_client`. */
import path from 'node:path';
import type { Test } from 'tap';
import { Child } from '../../helpers/children.js';
import { missing, opensslServer } from '../../helpers/tools.js';
import {
  type CallTarget,
  type CredentialFiles,
  type Peer,
  retriedGroup,
  type Seen,
} from './cell.js';

const shown = ({ key, leaf, intermediate }: CredentialFiles): string[] => [
  ...['-key', key],
  ...['-cert', leaf],
  ...['-cert_chain', intermediate],
];

async function once(t: Test, { port, line, answer }: CallTarget, args: string[]): Promise<Seen> {
  const child = new Child(t, 'openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args]);
  child.write(`${line}\n`);
  // Not always on a line of its own: what it prints of tickets goes another way.
  await child.saw(new RegExp(answer));
  child.endInput();
  const { stdout } = await child.ended;
  const [, how, version] = /^(New|Reused), .*?Protocol *: (\S+)$/ms.exec(stdout) ?? [];
  return { version: version ?? '', resumed: how === 'Reused', line: answer };
}

export const openssl: Peer = {
  name: 'openssl',
  missing: missing('openssl', 'openssl'),
  async serve(t, { version, handshake }, { serverFiles }) {
    const { port } = await opensslServer(t, [
      ...shown(serverFiles),
      version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3',
      // Answers each line with its reverse.
      '-rev',
      ...(handshake === 'mTLS'
        ? ['-Verify', '2', '-verify_return_error', '-CAfile', serverFiles.trust]
        : []),
      ...(handshake === 'HelloRetryRequest' ? ['-groups', retriedGroup] : []),
    ]);
    return { port, answer: (line) => [...line].reverse().join('') };
  },
  async call(t, { handshake }, { clientFiles }, target) {
    const args = [
      ...['-CAfile', clientFiles.trust, '-verify_return_error', '-verify_hostname', 'localhost'],
      ...['-servername', 'localhost'],
      ...(handshake === 'mTLS' ? shown(clientFiles) : []),
    ];
    if (handshake !== 'resumed') return once(t, target, args);
    const session = path.join(t.testdir({}), 'session.pem');
    await once(t, target, [...args, '-sess_out', session]);
    return once(t, target, [...args, '-sess_in', session]);
  },
};
