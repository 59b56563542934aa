import { getSystemErrorName } from 'node:util';
import type { Connection, NativeKernelTls } from '@node-aws-lc/native';
import { awsLc } from '../aws-lc';
import { canRekey, hasKernelTls, receivePathDefect } from './kernel';
import type { KtlsMode, KtlsPolicy } from './policy';

/** Whether the kernel does the record layer of a connection, and why not. */
export interface KtlsStatus {
  /** Sending. */
  readonly tx: boolean;
  /** Receiving. */
  readonly rx: boolean;
  /** Why a direction is not in the kernel, in words. */
  readonly reason?: string;
}

/** Whether a connection's parameters are ones that the kernel can take. */
export interface KtlsEligibility {
  readonly protocol: string;
  /** IANA name. */
  readonly cipher: string;
  readonly eligible: boolean;
}

const ELIGIBLE_PROTOCOLS = ['TLSv1.2', 'TLSv1.3'];
const ELIGIBLE_CIPHERS = /_(AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256)$/;

/** Judges protocol and cipher suite by what the kernel knows (Documentation/networking/tls.rst). */
export function ktlsEligibility(protocol: string, cipher: string): KtlsEligibility {
  const eligible = ELIGIBLE_PROTOCOLS.includes(protocol) && ELIGIBLE_CIPHERS.test(cipher);
  return { protocol, cipher, eligible };
}

/** Milliseconds for which a host that has no kernel TLS is not asked again: asking makes the kernel look for a module. */
const RETRY_AFTER = 60_000;
let unavailableUntil = 0;

const NO_MODULE = 'the kernel has no tls module loaded (modprobe tls)';

type KtlsRequest = NonNullable<ConstructorParameters<typeof Connection>[1]>;

/** What one connection asks of the kernel, and what it does not ask because the answer is known. */
export interface KtlsPlan {
  readonly request: KtlsRequest | undefined;
  readonly txRefusal: string | undefined;
  readonly rxRefusal: string | undefined;
}

/** Decides what to ask of the kernel for a connection. */
export function planKtls(policy: KtlsPolicy): KtlsPlan {
  const known = knownRefusal();
  const refuse = (mode: KtlsMode): string | undefined => {
    if (mode === 'off') return 'switched off by the ktls option';
    if (mode === 'auto' && awsLc.fips) {
      return 'off by default in a FIPS build: the kernel is outside the FIPS boundary';
    }
    return known;
  };
  const txRefusal = refuse(policy.tx);
  let rxRefusal = refuse(policy.rx);
  if (!policy.ignoreKernelFloor) rxRefusal ??= receivePathDefect();
  const tx = txRefusal === undefined;
  const rx = rxRefusal === undefined;
  const request =
    tx || rx
      ? {
          tx,
          rx,
          afterBytes: policy.afterBytes,
          canRekey: canRekey(),
          settleFirst: policy.tx === 'require' || policy.rx === 'require',
        }
      : undefined;
  return { request, txRefusal, rxRefusal };
}

function knownRefusal(): string | undefined {
  if (process.platform !== 'linux') {
    return `kernel TLS exists on Linux only, this is ${process.platform}`;
  }
  // Somebody may have done what the reason says.
  return Date.now() < unavailableUntil && !hasKernelTls() ? NO_MODULE : undefined;
}

const UNASKED: NativeKernelTls = { tx: 0, rx: 0, attachError: 0, txError: 0, rxError: 0 };

/** Where a connection stands with the kernel; one that asks nothing of it is not looked at. */
export function ktlsState(plan: KtlsPlan, connection: Connection): NativeKernelTls {
  return plan.request === undefined ? UNASKED : (connection.kernelTls() as NativeKernelTls);
}

/** What became of the plan, once the handshake is complete. */
export function ktlsStatus(
  plan: KtlsPlan,
  state: NativeKernelTls,
  eligibility: KtlsEligibility,
): KtlsStatus {
  if (getError(state.attachError) === 'ENOENT') unavailableUntil = Date.now() + RETRY_AFTER;
  const tx = state.tx === 2;
  const rx = state.rx === 2;
  if (tx && rx) return { tx, rx };
  const why = (refusal: string | undefined, pending: boolean, error: number): string =>
    refusal ??
    whyNot(eligibility, pending, state.attachError, error, plan.request?.afterBytes ?? 0);
  const txReason = tx ? undefined : why(plan.txRefusal, state.tx === 1, state.txError);
  const rxReason = rx ? undefined : why(plan.rxRefusal, state.rx === 1, state.rxError);
  return { tx, rx, reason: joinReasons(txReason, rxReason) };
}

/** Whether the state of a connection can still change. */
export function isKtlsSettled(plan: KtlsPlan, state: NativeKernelTls): boolean {
  if (plan.request === undefined) return true;
  if (state.tx === 1 || state.rx === 1) return false;
  return (
    plan.request.afterBytes === 0 || state.tx === 2 || state.rx === 2 || state.attachError !== 0
  );
}

/** Whether the peer had announced the end of its half, and all before it had come, when the kernel could have begun. */
export function isNothingLeftToReceive(state: NativeKernelTls): boolean {
  return getError(state.rxError) === 'ESHUTDOWN';
}

function getError(error: number): string | undefined {
  return error === 0 ? undefined : getSystemErrorName(error);
}

function whyNot(
  { eligible, protocol, cipher }: KtlsEligibility,
  pending: boolean,
  attachError: number,
  installError: number,
  afterBytes: number,
): string {
  if (!eligible) return `the kernel does not know ${protocol} with ${cipher}`;
  switch (getError(attachError)) {
    case undefined:
      break;
    case 'EPROTONOSUPPORT':
      return 'the transport is not a TCP socket';
    case 'ENOENT':
      return NO_MODULE;
    case 'EEXIST':
    case 'EBUSY':
      return 'the socket has another upper-layer protocol attached';
    case 'ENOTCONN':
      return 'the peer had closed its half already, and the kernel takes over established connections only';
    default:
      return `the kernel refuses to attach TLS to the socket (${getError(attachError)})`;
  }
  if (pending) return 'waiting for the end of a record';
  const install = getError(installError);
  if (install === 'ESHUTDOWN') {
    return 'the peer had ended its half already: nothing is left to receive';
  }
  if (install === 'ECONNABORTED') return 'receiving had failed before the kernel could begin';
  if (install === 'ENOENT') return `the kernel lacks the module for ${cipher}`;
  if (install !== undefined) {
    return `the kernel refuses the keys of ${protocol} with ${cipher} (${install})`;
  }
  return `waiting for ${afterBytes} bytes of application data`;
}

function joinReasons(tx: string | undefined, rx: string | undefined): string {
  if (tx === undefined) return `receiving: ${rx}`;
  if (rx === undefined) return `sending: ${tx}`;
  return tx === rx ? tx : `sending: ${tx}; receiving: ${rx}`;
}
