/** The doctor on a real kernel that has TLS: one that can change keys, and one that cannot. */
import { hostKtls } from '@node-aws-lc/core';
import t from 'tap';
import { program } from '../doctor/internals.js';
import { runNode } from '../helpers/children.js';
import { statistics } from './statistics.js';

interface Report {
  kernelTls: { ciphers: object[]; rekey: boolean; statistics: Record<string, number> };
  findings: { key: string }[];
}

t.test('a kernel with every cipher is all there', async (t) => {
  const { code, stdout, stderr } = await runNode(t, program, ['doctor', '--json']);
  t.equal(code, 0, stderr);
  const says = JSON.parse(stdout) as Report;
  t.match(says, {
    verdict: 'kernel',
    kernelTls: {
      module: { state: /^(loaded|built in)$/ },
      statisticsThere: true,
      attachError: null,
      receivePathSafe: true,
    },
  });
  const accepted = { txError: null, rxError: null, driver: String };
  t.match(says.kernelTls.ciphers, [
    { name: 'AES-128-GCM', ...accepted },
    { name: 'AES-256-GCM', ...accepted },
    { name: 'CHACHA20-POLY1305', ...accepted },
  ]);
  t.equal(says.kernelTls.rekey, hostKtls().rekey);
  const keys = says.findings.map(({ key }) => key);
  t.equal(keys.includes('no-rekey'), !says.kernelTls.rekey);
});

t.test('it tells the counters and leaves no connection behind', async (t) => {
  const before = statistics();
  const { stdout } = await runNode(t, program, ['doctor', '--json']);
  const told = (JSON.parse(stdout) as Report).kernelTls.statistics;
  t.equal(told['TlsDecryptError'], before.TlsDecryptError);
  t.equal(statistics().TlsCurrTxSw, before.TlsCurrTxSw);
});
