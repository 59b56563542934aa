/** Ticket keys that a fleet shares through a provider: schedule, races, outages. */
import {
  type ScheduledTicketKey,
  TicketKeyRotation,
  type TicketKeyRotationOptions,
  type TicketKeyProvider,
} from '@node-aws-lc/core';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually, thrown } from '../helpers/wait.js';

const quick = { interval: 60_000, lifetime: 120_000, pollInterval: 20, timeout: 500 };

/** A store in memory that can be away. */
class Store implements TicketKeyProvider {
  schedule: readonly ScheduledTicketKey[] | undefined;
  state: 'up' | 'down' | 'silent' = 'up';
  loads = 0;
  rotations = 0;

  async load() {
    this.loads++;
    await this.#answer();
    return this.schedule;
  }

  async rotate(next: readonly ScheduledTicketKey[], loaded?: readonly ScheduledTicketKey[]) {
    await this.#answer();
    if (loaded === this.schedule) {
      this.schedule = next;
      this.rotations++;
    }
    return this.schedule!;
  }

  async #answer() {
    await sleep(1);
    if (this.state === 'down') throw new Error('store is down');
    if (this.state === 'silent') await new Promise(() => {});
  }
}

function rotate(t: Test, store: TicketKeyProvider, options: TicketKeyRotationOptions = {}) {
  const rotation = new TicketKeyRotation(store, { ...quick, ...options });
  // Its own timers would let the process end.
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => {
    rotation.close();
    clearInterval(alive);
  });
  return rotation;
}

const sealsAlike = (a: TicketKeyRotation, b: TicketKeyRotation) =>
  a.keys.current.equals(b.keys.current);

t.test('processes that start at once agree on one key', async (t) => {
  const store = new Store();
  const fleet = Array.from({ length: 5 }, () => rotate(t, store));
  await Promise.all(fleet.map(({ ready }) => ready));
  t.equal(store.rotations, 1, 'one of them won');
  for (const other of fleet) t.ok(sealsAlike(fleet[0]!, other));
  t.equal(store.schedule?.length, 2, 'the next key is published already');
});

t.test('the next key begins on time everywhere, and is extended by the one after it', async (t) => {
  const store = new Store();
  const options = { interval: 300, lifetime: 600 };
  const [a, b] = [rotate(t, store, options), rotate(t, store, options)];
  await Promise.all([a.ready, b.ready]);
  const first = a.keys.current;
  const next = Buffer.from(store.schedule![0]!.key);
  let changes = 0;
  a.on('change', () => changes++);
  await eventually(
    'the next key',
    () => a.keys.current.equals(next) && b.keys.current.equals(next),
  );
  t.equal(changes, 1);
  t.ok(
    a.keys.previous.some((key) => key.equals(first)),
    'the one before is accepted',
  );
  await eventually('its successor', () => store.schedule![0]!.activeFrom > Date.now());
  await eventually('the end of the first', () => !a.keys.previous.some((key) => key.equals(first)));
  t.ok(store.schedule!.length <= 5, 'and the store does not grow');
});

t.test('an outage is one warning, and costs nothing until the known keys run out', async (t) => {
  const store = new Store();
  const warnings: string[] = [];
  const onWarning = (warning: Error & { code?: string }) => warnings.push(warning.code ?? '');
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const rotation = rotate(t, store, { interval: 500 });
  const events: string[] = [];
  rotation.on('unavailable', (error) => events.push(error.message));
  rotation.on('available', () => events.push('available'));
  await rotation.ready;
  const [next, first] = store.schedule!.map(({ key }) => Buffer.from(key)) as [Buffer, Buffer];
  store.state = 'down';
  await eventually('the outage', () => events.length === 1);
  t.same(rotation.keys.current, first);
  await eventually('the next key, without the store', () => rotation.keys.current.equals(next));
  const known = [next, first];
  const isOwn = () => !known.some((key) => key.equals(rotation.keys.current));
  await eventually("a key of the process' own", isOwn);
  t.ok(
    rotation.keys.previous.some((key) => key.equals(next)),
    'shared sessions go on',
  );
  const own = rotation.keys.current;
  store.state = 'up';
  await eventually('the return', () => events.length === 2);
  t.same(events, ['store is down', 'available']);
  t.ok(
    store.schedule!.some(({ key }) => rotation.keys.current.equals(key)),
    'shared keys again',
  );
  t.ok(
    rotation.keys.previous.some((key) => key.equals(own)),
    'sessions of the outage go on',
  );
  t.same(warnings, ['AWS_LC_TICKET_KEYS']);
});

t.test('without a store from the start a process resumes its own sessions', async (t) => {
  const store = new Store();
  store.state = 'down';
  const rotation = rotate(t, store);
  rotation.on('unavailable', () => {});
  await rotation.ready;
  t.equal(rotation.keys.current.length, 48);
  store.state = 'up';
  const other = rotate(t, store);
  await eventually('agreement', () => sealsAlike(rotation, other));
});

t.test('a store that never answers is given up after the time-out', async (t) => {
  const store = new Store();
  store.state = 'silent';
  const rotation = rotate(t, store, { timeout: 50 });
  const failed = new Promise<Error>((resolve) => rotation.once('unavailable', resolve));
  await rotation.ready;
  t.match((await failed).message, 'did not answer in 50 ms');
  await eventually('another attempt', () => store.loads > 1);
});

t.test('a listener that throws ends neither the polling nor the promise', async (t) => {
  const store = new Store();
  const rotation = rotate(t, store, { interval: 500 });
  const thrown: Error[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error));
  t.teardown(() => process.setUncaughtExceptionCaptureCallback(null));
  for (const event of ['unavailable', 'available', 'change'] as const) {
    rotation.on(event, () => {
      throw new Error(event);
    });
  }
  store.state = 'down';
  await rotation.ready;
  const names = () => new Set(thrown.map(({ message }) => message));
  await eventually('the outage', () => names().has('unavailable'));
  store.state = 'up';
  await eventually('the return', () => names().has('available'));
  await eventually('the next key', () => names().has('change'));
  const { loads } = store;
  await eventually('further polling', () => store.loads > loads + 2);
  t.same([...names()].sort(), ['available', 'change', 'unavailable'], 'and nothing else');
});

t.test('a store that keeps changing its mind does not have keys pile up', async (t) => {
  const schedules = [0, 1].map(() => [{ key: randomBytes(48), activeFrom: Date.now() - 1 }]);
  let loads = 0;
  const rotation = rotate(t, { load: async () => schedules[loads++ % 2] }, { pollInterval: 1 });
  await eventually('many answers', () => loads > 20);
  // Both, and the one that the process made itself before it had any.
  t.equal(rotation.keys.previous.length, 2);
});

t.test('nonsense in the store is an outage', async (t) => {
  const store = new Store();
  store.schedule = [{ key: Buffer.alloc(3), activeFrom: 0 }];
  const rotation = rotate(t, store);
  const failed = new Promise<Error>((resolve) => rotation.once('unavailable', resolve));
  t.match((await failed).message, 'no ticket key');
});

t.test('keys that somebody else rotates are taken as they come', async (t) => {
  const key = randomBytes(48);
  const schedule = [{ key, activeFrom: Date.now() - 10 * quick.interval }];
  const rotation = rotate(t, { load: () => Promise.resolve(schedule) });
  await rotation.ready;
  t.same(rotation.keys.current, key, 'old as it is');
});

t.test('a closed rotation asks no more', async (t) => {
  const store = new Store();
  const rotation = rotate(t, store);
  await rotation.ready;
  rotation.close();
  const { loads } = store;
  await sleep(100);
  t.equal(store.loads, loads);
});

t.test('what is no provider and no time is refused', (t) => {
  const code = 'ERR_AWS_LC_CONFIG_TYPE';
  t.match(
    thrown(() => new TicketKeyRotation({} as never)),
    { code, option: 'provider' },
  );
  for (const option of ['interval', 'lifetime', 'pollInterval', 'timeout']) {
    t.match(
      thrown(() => new TicketKeyRotation(new Store(), { [option]: 0 })),
      { code, option },
    );
  }
  t.end();
});
