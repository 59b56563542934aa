import type { HostFiles } from './host-files';

/** What this process may do, and what watches over it. */
export interface Privileges {
  /**
   * `CAP_NET_ADMIN`: on its behalf the kernel loads `tls` by itself when it is asked for (tcp_ulp.c). Null where `/proc`
   * does not tell.
   */
  readonly netAdmin: boolean | null;
  /** `CAP_SYS_MODULE`: it may load modules. Null as above. */
  readonly sysModule: boolean | null;
  /** Whether a seccomp filter judges its system calls (seccomp(2)). */
  readonly seccomp: boolean;
  /** The AppArmor profile or the SELinux context that it runs under. */
  readonly confinement: string | undefined;
}

const CAP_NET_ADMIN = 12n;
const CAP_SYS_MODULE = 16n;

export function privilegesOf(files: HostFiles): Privileges {
  const status = files.read('/proc/self/status') ?? '';
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
  const effective = field('CapEff');
  const has = (capability: bigint) =>
    effective === undefined ? null : (BigInt(`0x${effective}`) & (1n << capability)) !== 0n;
  const confinement = files.read('/proc/self/attr/current')?.replace(/\0/g, '').trim();
  return {
    netAdmin: has(CAP_NET_ADMIN),
    sysModule: has(CAP_SYS_MODULE),
    seccomp: field('Seccomp') === '2',
    confinement: confines(confinement) ? confinement : undefined,
  };
}

/** What the file says where no security module has a policy is no confinement. */
function confines(label: string | undefined): label is string {
  return label !== undefined && !['', 'unconfined', 'kernel'].includes(label);
}
