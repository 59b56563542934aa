/** What keeps a process alive and what does not, and what is left of a connection when it is gone. */
import net from 'node:net';
import path from 'node:path';
import t from 'tap';
import { runNode } from '../helpers/children.js';
import { descriptorCount, settledDescriptorCount } from '../helpers/descriptors.js';
import { handshake, type Setup } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { tcpPair, unixPair } from '../helpers/transports.js';

const program = path.join(__dirname, 'programs', 'lifetime.js');

const fates = {
  closed: 'a connection that was closed lets the process end',
  destroyed: 'a connection that was destroyed lets the process end',
  unreferenced: 'an open connection that is unreferenced lets the process end',
  referenced: 'a connection that is referenced again keeps the process until it closes',
};

for (const [fate, what] of Object.entries(fates)) {
  t.test(what, async (t) => {
    const { code, signal, stdout, stderr } = await runNode(t, program, [fate], { timeout: 10_000 });
    t.match({ code, signal }, { code: 0, signal: null }, stderr || 'it ended by itself');
    if (fate === 'referenced') t.match(stdout, 'still there until it was destroyed');
    if (fate === 'closed') t.match(stdout, 'closed');
  });
}

t.test('every way to end a connection gives its descriptors back', async (t) => {
  const stranger = await pki.untrustedServer();
  const setups: Record<string, Setup> = {
    'a good handshake': {},
    'a refused server': { server: { key: stranger.key, cert: stranger.cert } },
    'no common suite': {
      server: { cipherSuites: ['TLS_AES_128_GCM_SHA256'] },
      client: { cipherSuites: ['TLS_AES_256_GCM_SHA384'] },
    },
    'an aborted handshake': { handshake: { signal: AbortSignal.abort() } },
  };
  for (const [what, setup] of Object.entries(setups)) {
    await once(setup);
    const before = await settledDescriptorCount(0, 100);
    for (let i = 0; i < 20; i++) await once(setup);
    t.ok((await settledDescriptorCount(before)) <= before, `${what}: ${descriptorCount()} open`);
  }

  async function once(setup: Setup): Promise<void> {
    for (const pair of [tcpPair, unixPair]) {
      const ends = await handshake(t, { ...setup, transport: await pair(t) });
      for (const end of Object.values(ends)) if (end instanceof net.Socket) end.destroy();
    }
  }
});
