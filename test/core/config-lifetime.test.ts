/** What a configuration holds natively goes with it, and not before the last that needs it. */
import {
  ClientConfig,
  type ClientConfigOptions,
  createSecureContext,
  createSecureServer,
  createServer,
  ServerConfig,
  ServerNames,
} from '@node-aws-lc/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { clientOptions, connected, sent, serverOptions } from '../helpers/handshake.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const sanitized = process.env['NODE_AWS_LC_BUILD'] === 'Sanitize';
const skip = sanitized && 'AddressSanitizer keeps freed memory and looks for leaks itself';

t.test('many configurations leave nothing behind', { skip }, async (t) => {
  t.setTimeout(120_000);
  const ALPNProtocols = ['h2', 'http/1.1'];
  const server = await serverOptions({ ALPNProtocols });
  const client = await clientOptions({ ALPNProtocols, groups: ['X25519'] });
  const make = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      new ServerConfig(server);
      new ClientConfig(client);
      if (i % 64 === 0) await collected();
    }
    await collected();
  };
  await make(512);
  const before = process.memoryUsage.rss();
  await make(2048);
  const grown = process.memoryUsage.rss() - before;
  t.ok(grown < 16 * 2 ** 20, `4096 configurations made the process grow by ${grown} bytes`);
});

t.test('what a name was served with goes when it is exchanged', { skip }, async (t) => {
  const options = await serverOptions();
  const { key, cert } = options;
  const names = new ServerNames();
  const server = createServer();
  const secure = createSecureServer({ key, cert }, () => {});
  const exchanges = {
    ServerNames: () => {
      const config = new ServerConfig(options);
      names.add('a.test', config);
      return config;
    },
    createServer: () => {
      const context = createSecureContext({ key, cert });
      server.addContext('a.test', context);
      return context;
    },
    createSecureServer: () => {
      const given = { key, cert };
      secure.addContext('a.test', given);
      return given;
    },
  };
  for (const [name, exchange] of Object.entries(exchanges)) {
    const before = weakly(exchange);
    exchange();
    // Not in between: whoever has looked keeps it until its turn ends.
    for (let i = 0; i < 5; i++) await collected();
    t.equal(before.deref(), undefined, name);
  }
});

t.test('a connection outlives the configurations that it was made with', async (t) => {
  // In a function of its own, so that nothing here refers to the configurations.
  const ends = await connected(t, { client: lean(), server: { ALPNProtocols: ['h2'] } });
  await collected();
  t.equal(await sent(ends.client, ends.server, 'still here'), 'still here');
  t.equal(await sent(ends.server, ends.client, 'here too'), 'here too');
});

/** In a function of its own, so that nothing else refers to what is made. */
function weakly(make: () => object): WeakRef<object> {
  return new WeakRef(make());
}

function lean(): ClientConfigOptions {
  return { ALPNProtocols: ['h2'], groups: ['X25519'] };
}

/** Collects, and lets the finalizers run that the collection has called for. */
async function collected(): Promise<void> {
  gc();
  await sleep(1);
}
