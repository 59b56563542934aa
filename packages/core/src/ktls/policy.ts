import { inspect } from 'node:util';
import { ConfigError } from '../errors';

/** What is wanted of kernel TLS in one direction. */
export type KtlsMode = 'auto' | 'off' | 'require';

/**
 * The `ktls` option: one mode for both directions, or each on its own.
 *
 * `'auto'` has the kernel do what it can, and {@link KtlsStatus.reason} says what it cannot. `'off'` leaves it alone.
 * `'require'` fails the handshake with `ERR_AWS_LC_KTLS_REQUIRED`, before any data moves, where the kernel does not take
 * over; that the peer ends its half along with its last flight, so that nothing is left to receive, is no such case.
 */
export type KtlsOption =
  | KtlsMode
  | {
      /** Sending. Default `'auto'`. */
      tx?: KtlsMode | undefined;
      /** Receiving. Default `'auto'`. */
      rx?: KtlsMode | undefined;
      /** Move into the kernel only after this many bytes of application data. Default 0; not with `'require'`. */
      afterBytes?: number | undefined;
      /** Use kernels whose receive path has known defects. Default false. */
      ignoreKernelFloor?: boolean | undefined;
    };

/** The `ktls` option with its defaults filled in. */
export interface KtlsPolicy {
  readonly tx: KtlsMode;
  readonly rx: KtlsMode;
  readonly afterBytes: number;
  readonly ignoreKernelFloor: boolean;
}

const MODES: readonly unknown[] = ['auto', 'off', 'require'];

function checkMode(name: string, mode: unknown): KtlsMode {
  if (MODES.includes(mode)) return mode as KtlsMode;
  throw new ConfigError(
    'ERR_AWS_LC_CONFIG_KTLS',
    name,
    `expected 'auto', 'off' or 'require', got ${inspect(mode, { depth: 0 })}`,
  );
}

const MEMBERS = ['tx', 'rx', 'afterBytes', 'ignoreKernelFloor'];

/** Anything else that is an object, and any other name in it, would be taken for the default: kernel TLS, silently. */
function requirePlain(option: object): void {
  const prototype: unknown = Object.getPrototypeOf(option);
  // Of whatever realm.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_KTLS',
      'ktls',
      `expected 'auto', 'off', 'require' or a plain object, got ${inspect(option, { depth: 0 })}`,
    );
  }
  const unknown = Object.keys(option).find((name) => !MEMBERS.includes(name));
  if (unknown === undefined) return;
  throw new ConfigError(
    'ERR_AWS_LC_CONFIG_KTLS',
    `ktls.${unknown}`,
    `there is no such option, only ${MEMBERS.join(', ')}`,
  );
}

/**
 * Fills in the defaults of the `ktls` option.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_KTLS
 */
export function toKtlsPolicy(option: KtlsOption | null | undefined): KtlsPolicy {
  if (option === null || typeof option !== 'object') {
    const mode = checkMode('ktls', option ?? 'auto');
    return { tx: mode, rx: mode, afterBytes: 0, ignoreKernelFloor: false };
  }
  requirePlain(option);
  const { tx = 'auto', rx = 'auto', afterBytes = 0, ignoreKernelFloor = false } = option;
  checkMode('ktls.tx', tx);
  checkMode('ktls.rx', rx);
  if (!Number.isSafeInteger(afterBytes) || afterBytes < 0) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_KTLS', 'ktls.afterBytes', 'expected a count of bytes');
  }
  if (afterBytes > 0 && (tx === 'require' || rx === 'require')) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_KTLS',
      'ktls.afterBytes',
      "'require' is decided before any data moves and cannot wait for it",
    );
  }
  if (typeof ignoreKernelFloor !== 'boolean') {
    throw new ConfigError('ERR_AWS_LC_CONFIG_KTLS', 'ktls.ignoreKernelFloor', 'expected a boolean');
  }
  return { tx, rx, afterBytes, ignoreKernelFloor };
}
