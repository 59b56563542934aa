import { ConfigError } from '../errors';
import type { ScheduledTicketKey, TicketKeyProvider } from './ticket-key-provider';

/** A connected client of ioredis (which has `call`) or of node-redis (which has not). */
export type RedisClient =
  | { call(command: string, ...parameters: string[]): Promise<unknown> }
  | { sendCommand(parameters: string[]): Promise<unknown> };

/** Compare and set in one step: another process may have rotated since we looked. */
const REPLACE = `
local stored = redis.call('GET', KEYS[1])
if (stored or '') ~= ARGV[1] then return stored end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]
`;

interface Entry {
  key: string;
  activeFrom: number;
}

function encode(schedule: readonly ScheduledTicketKey[]): string {
  const entries = schedule.map(({ key, activeFrom }): Entry => ({
    key: Buffer.from(key).toString('base64'),
    activeFrom,
  }));
  return JSON.stringify(entries);
}

function decode(text: string): ScheduledTicketKey[] {
  const entries = parse(text);
  if (!Array.isArray(entries)) throw new Error('what is stored holds no ticket keys');
  return (entries as Partial<Entry>[]).map(({ key, activeFrom }) => ({
    key: Buffer.from(String(key), 'base64'),
    activeFrom: Number(activeFrom),
  }));
}

/** JSON.parse's own error quotes the text, which may hold keys. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Shares ticket keys through Redis or Valkey. Whoever can read the value can read sessions and whoever can write it can
 * make them up, so the server deserves TLS, authentication and an ACL.
 *
 * @param client ioredis or node-redis, configured and closed by the application
 * @param name the string's key. Default `'node-aws-lc:ticket-keys'`; one for each fleet
 * @throws ConfigError `ERR_AWS_LC_CONFIG_TYPE`
 */
export function redisTicketKeys(
  client: RedisClient,
  name = 'node-aws-lc:ticket-keys',
): TicketKeyProvider {
  const send = toSender(client);
  // Compared as text, as it was stored: another version may write the same keys in another way.
  const texts = new WeakMap<object, string>();
  return {
    async load() {
      const text = await send('GET', name);
      if (typeof text !== 'string' || text === '') return undefined;
      const loaded = decode(text);
      texts.set(loaded, text);
      return loaded;
    },
    async rotate(next, loaded) {
      const stored = loaded === undefined ? '' : (texts.get(loaded) ?? '');
      const answer = await send('EVAL', REPLACE, '1', name, stored, encode(next));
      if (typeof answer !== 'string') throw new Error('the ticket keys were deleted meanwhile');
      return decode(answer);
    },
  };
}

type Sender = (...parameters: [command: string, ...rest: string[]]) => Promise<unknown>;

function toSender(client: unknown): Sender {
  const send = toRawSender(client);
  return async (...parameters) => {
    try {
      return await send(...parameters);
    } catch (error) {
      throw withoutCommand(error);
    }
  };
}

/** ioredis keeps the command that failed in its error, and the parameters of ours are keys: only the words are told. */
function withoutCommand(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : String(error));
}

function toRawSender(client: unknown): Sender {
  const { call, sendCommand } = (client ?? {}) as {
    call?: Sender;
    sendCommand?: (parameters: string[]) => Promise<unknown>;
  };
  if (typeof call === 'function') return (...parameters) => call.apply(client, parameters);
  if (typeof sendCommand === 'function') {
    return (...parameters) => sendCommand.call(client, parameters);
  }
  throw new ConfigError(
    'ERR_AWS_LC_CONFIG_TYPE',
    'client',
    'expected a client of ioredis or node-redis',
  );
}
