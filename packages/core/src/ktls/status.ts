import type { KtlsPolicy } from './policy';

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

/** Judges protocol and cipher suite by the kernel's documentation (Documentation/networking/tls.rst). */
export function ktlsEligibility(protocol: string, cipher: string): KtlsEligibility {
  const eligible = ELIGIBLE_PROTOCOLS.includes(protocol) && ELIGIBLE_CIPHERS.test(cipher);
  return { protocol, cipher, eligible };
}

/** The state of a connection that stays in userspace. */
export function userspace(
  policy: KtlsPolicy,
  overDescriptor: boolean,
  eligibility: KtlsEligibility,
): KtlsStatus {
  return { tx: false, rx: false, reason: whyNot(policy, overDescriptor, eligibility) };
}

function whyNot(
  policy: KtlsPolicy,
  overDescriptor: boolean,
  { eligible, protocol, cipher }: KtlsEligibility,
): string {
  if (policy.tx === 'off' && policy.rx === 'off') return 'switched off by the ktls option';
  if (process.platform !== 'linux')
    return `kernel TLS exists on Linux only, this is ${process.platform}`;
  if (!overDescriptor) return 'the transport is not a TCP socket';
  if (!eligible) return `the kernel does not know ${protocol} with ${cipher}`;
  return 'this version does not move connections into the kernel yet';
}
