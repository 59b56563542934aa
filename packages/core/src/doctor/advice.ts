import { getSystemErrorMap } from 'node:util';
import type { KernelCipher } from '@node-aws-lc/native';
import type { Finding } from './findings';

type FindingOf<Key extends Finding['key']> = Extract<Finding, { key: Key }>;

/** The modules that do a cipher: the kernel's own C, and the processor's instructions on x86-64 and on arm64. */
const CIPHER_MODULES: Record<KernelCipher, { generic: string; x64: string; arm64: string }> = {
  'AES-128-GCM': { generic: 'gcm', x64: 'aesni_intel ghash_clmulni_intel', arm64: 'ghash-ce' },
  'AES-256-GCM': { generic: 'gcm', x64: 'aesni_intel ghash_clmulni_intel', arm64: 'ghash-ce' },
  'CHACHA20-POLY1305': {
    generic: 'chacha20poly1305',
    x64: 'chacha_x86_64 poly1305_x86_64',
    arm64: 'chacha-neon poly1305-neon',
  },
};

/** What to load for the processor's own instructions. */
function fastModules(cipher: KernelCipher): string {
  const { x64, arm64 } = CIPHER_MODULES[cipher];
  return process.arch === 'arm64' ? arm64 : x64;
}

/** The first kernel that knows each cipher for TLS 1.3 (Documentation/networking/tls.rst and its history). */
const CIPHER_SINCE: Record<KernelCipher, string> = {
  'AES-128-GCM': '5.1',
  'AES-256-GCM': '5.1',
  'CHACHA20-POLY1305': '5.11',
};

const KEEP = 'and to have it after every boot: echo tls > /etc/modules-load.d/tls.conf';

/** Why it needs root: loading on demand is for processes with CAP_NET_ADMIN (tcp_ulp.c). */
const MODULE_MISSING = {
  host: `on this host, as root: modprobe tls; ${KEEP}`,
  container:
    'containers have no modules of their own, so on the host, not in the image, as root: ' +
    `modprobe tls; ${KEEP}; the container itself needs no privilege`,
  kubernetes:
    'pods have no modules of their own, so on every node, as root: modprobe tls; ' +
    `${KEEP}; where nodes cannot be configured, a DaemonSet whose init container runs modprobe tls, with ` +
    'securityContext.capabilities.add [SYS_MODULE] and the hostPath /lib/modules mounted, does it; the pods that serve ' +
    'need neither a capability nor a sysctl',
} as const;

/** What to say about each finding. */
const ADVICE: { readonly [Key in Finding['key']]: (finding: FindingOf<Key>) => string } = {
  loopback: ({ error }) =>
    `a TCP connection over 127.0.0.1 fails (${inWords(error)}), so nothing could be tried: ` +
    'bring the loopback interface up (ip link set lo up), or let the sandbox allow sockets',
  'module-missing': ({ place, netAdmin }) =>
    `the kernel has no tls module loaded: ${MODULE_MISSING[place]}` +
    (netAdmin === false
      ? ' (the kernel loads it by itself only for a process with CAP_NET_ADMIN, which this one lacks)'
      : ''),
  'module-loading-disabled': () =>
    'the kernel has no tls module loaded, and takes no modules until its next boot (kernel.modules_disabled is 1): ' +
    'name tls in /etc/modules-load.d/tls.conf, which is read before that is set, and boot',
  'kernel-without-tls': ({ release }) =>
    `the kernel has no tls module, and /lib/modules/${release} has none to load: install the package with the rest ` +
    "of this kernel's modules (linux-modules-extra on Ubuntu, kernel-modules on Fedora), or a kernel built with CONFIG_TLS",
  'attach-denied': ({ error, watchers }) =>
    `the process may not attach TLS to a socket (${inWords(error)}): ` +
    (watchers.length === 0
      ? 'find the security module that denies it'
      : `look at ${watchers.join(' and ')}`) +
    ', and allow setsockopt at the levels IPPROTO_TCP (TCP_ULP) and SOL_TLS; the default profiles of Docker, ' +
    'Podman and Kubernetes (RuntimeDefault) do',
  'attach-unknown': ({ error, release }) =>
    `the kernel does not know the socket option (TCP_ULP: ${inWords(error)}), and calls itself ${release}: ` +
    'Linux before 4.13 does not have it, nor do sandboxes that stand in for a kernel, such as gVisor (runsc)',
  'attach-failed': ({ error }) =>
    `the kernel refuses to attach TLS to a socket (${inWords(error)})`,
  'cipher-module': ({ cipher, place }) => {
    const { generic } = CIPHER_MODULES[cipher];
    const where = place === 'host' ? 'on this host' : "on the container's host";
    return (
      `the kernel lacks the module of ${cipher}: ${where}, as root: modprobe ${generic}, ` +
      `and for the processor's own instructions: modprobe -a ${fastModules(cipher)}`
    );
  },
  'cipher-fips': ({ cipher }) =>
    `the kernel is in FIPS mode and refuses ${cipher}: connections with it stay in userspace`,
  'cipher-unknown': ({ cipher, release }) =>
    `Linux ${release} does not know ${cipher} in TLS 1.3: ${CIPHER_SINCE[cipher]} does`,
  'cipher-failed': ({ cipher, error }) =>
    `the kernel refuses the keys of ${cipher} (${inWords(error)})`,
  'receive-path': ({ release, upstream, mendedIn }) =>
    `receiving stays in userspace on Linux ${named(release, upstream)}, which has CVE-2025-39682 and CVE-2025-39946: ` +
    (mendedIn === undefined
      ? 'no release of its series mends them; 6.1.154, 6.6.108, 6.12.49, 6.16.9 and 6.17 do'
      : `${mendedIn} mends them`) +
    '; if your distribution has mended them in this one, set ktls: { ignoreKernelFloor: true }',
  'no-rekey': ({ release }) =>
    `a peer's KeyUpdate ends a connection that is in the kernel on Linux ${release}: 6.14 can change keys; ` +
    "where peers do that, set ktls: 'off'",
  'cipher-in-software': ({ driver }) =>
    `the kernel does AES in plain C (${driver}) though the processor has instructions for it: ` +
    `modprobe -a ${fastModules('AES-128-GCM')}`,
  'module-not-kept': () =>
    'the tls module is loaded, but nothing says that it will be after the next boot: ' +
    'echo tls > /etc/modules-load.d/tls.conf',
  'decrypt-errors': ({ count }) =>
    `the kernel could not decrypt ${count} records (TlsDecryptError): peers sent garbage, something on the way ` +
    'changed bytes, or keys were wrong; if the count grows while connections fail with EBADMSG, ' +
    "set ktls: { rx: 'off' } and report it",
  'rekey-errors': ({ count }) =>
    `${count} changes of keys failed in the kernel (TlsTxRekeyError, TlsRxRekeyError): those connections were closed`,
};

/** What a finding is and what to do about it, in words. */
export function adviceOn<Key extends Finding['key']>(finding: FindingOf<Key>): string {
  return (ADVICE[finding.key] as (finding: FindingOf<Key>) => string)(finding);
}

/** A negated errno by name and in words. */
export function inWords(error: number): string {
  const [name, words] = getSystemErrorMap().get(error) ?? [`errno ${-error}`, 'unknown error'];
  return `${name}: ${words}`;
}

function named(release: string, upstream: string): string {
  return release.startsWith(upstream) ? release : `${release} (${upstream})`;
}
