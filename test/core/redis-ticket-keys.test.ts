/** Ticket keys in a real Redis or Valkey, through both of its usual clients. */
import { redisTicketKeys, type RedisClient, TicketKeyRotation } from '@node-aws-lc/core';
import { Redis as IoRedis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { createClient } from 'redis';
import t, { type Test } from 'tap';
import { noRedis, Redis } from '../helpers/redis.js';
import { eventually, rejection, thrown } from '../helpers/wait.js';

const clients = {
  ioredis(t: Test, port: number): Promise<RedisClient> {
    const client = new IoRedis(port, '127.0.0.1', { retryStrategy: () => 50 });
    client.on('error', () => {});
    t.teardown(() => client.disconnect());
    return Promise.resolve(client);
  },
  async 'node-redis'(t: Test, port: number): Promise<RedisClient> {
    const socket = { host: '127.0.0.1', port, reconnectStrategy: () => 50 };
    const client = createClient({ socket });
    client.on('error', () => {});
    t.teardown(() => client.destroy());
    await client.connect();
    return client;
  },
};

function rotation(t: Test, client: RedisClient, options = {}): TicketKeyRotation {
  const settings = { interval: 60_000, pollInterval: 50, timeout: 1000, ...options };
  const made = new TicketKeyRotation(redisTicketKeys(client), settings);
  t.teardown(() => made.close());
  return made;
}

for (const [name, connect] of Object.entries(clients)) {
  t.test(`processes share keys through ${name}`, { skip: noRedis }, async (t) => {
    const { port } = await Redis.start(t);
    const fleet: TicketKeyRotation[] = [];
    for (let i = 0; i < 4; i++) fleet.push(rotation(t, await connect(t, port)));
    await Promise.all(fleet.map(({ ready }) => ready));
    for (const { keys } of fleet) t.same(keys.current, fleet[0]?.keys.current);
  });

  t.test(`keys change through ${name} for all at once`, { skip: noRedis }, async (t) => {
    const { port } = await Redis.start(t);
    const options = { interval: 500 };
    const a = rotation(t, await connect(t, port), options);
    const b = rotation(t, await connect(t, port), options);
    await Promise.all([a.ready, b.ready]);
    for (let i = 0; i < 3; i++) {
      const before = a.keys.current;
      await eventually('another key', () => !a.keys.current.equals(before));
      await eventually('the same key', () => a.keys.current.equals(b.keys.current));
      t.ok(b.keys.previous.some((key) => key.equals(before)));
    }
  });

  t.test(`${name} loses its server and finds it again`, { skip: noRedis }, async (t) => {
    const redis = await Redis.start(t);
    const a = rotation(t, await connect(t, redis.port), { timeout: 200 });
    const b = rotation(t, await connect(t, redis.port), { timeout: 200 });
    await Promise.all([a.ready, b.ready]);
    const before = a.keys.current;
    let [losses, returns] = [0, 0];
    a.on('unavailable', () => losses++).on('available', () => returns++);
    await redis.stop();
    await eventually('the loss', () => losses === 1);
    t.same(a.keys.current, before, 'the keys go on');
    await redis.start();
    await eventually('the return', () => returns === 1);
    await eventually('agreement', () => a.keys.current.equals(b.keys.current));
    t.equal(losses, 1);
    t.same(a.keys.current, before, 'and the empty server has them back');
  });

  t.test(`what ${name} fails with shows no key`, { skip: noRedis }, async (t) => {
    const { port } = await Redis.start(t, ['--maxmemory', '1']);
    const provider = redisTicketKeys(await connect(t, port));
    const key = randomBytes(48);
    const { signal } = new AbortController();
    const error = await rejection(provider.rotate!([{ key, activeFrom: 0 }], undefined, signal));
    t.match(error.message, /OOM/, 'it says why');
    const shown = inspect(error, { depth: Infinity, showHidden: true });
    t.notMatch(shown, key.toString('base64'));
  });
}

t.test('something else under that name is left alone', { skip: noRedis }, async (t) => {
  const { port } = await Redis.start(t);
  const client = new IoRedis(port, '127.0.0.1');
  t.teardown(() => client.disconnect());
  const secret = 'not JSON';
  await client.set('node-aws-lc:ticket-keys', secret);
  const made = rotation(t, client);
  const failed = new Promise<Error>((resolve) => made.once('unavailable', resolve));
  const { message } = await failed;
  t.match(message, 'no ticket keys');
  t.notMatch(message, secret);
  t.equal(await client.get('node-aws-lc:ticket-keys'), secret);
});

t.test('what is no client is refused', (t) => {
  for (const client of [undefined, null, {}, 'redis://localhost']) {
    const error = thrown(() => redisTicketKeys(client as never));
    t.match(error, { code: 'ERR_AWS_LC_CONFIG_TYPE', option: 'client' });
  }
  t.end();
});
