import type { HostFiles } from './host-files';

/** What this process may do, and what watches over it. */
export interface Privileges {
  /** `CAP_NET_ADMIN`: on its behalf the kernel loads `tls` by itself when it is asked for (tcp_ulp.c). */
  readonly netAdmin: boolean;
  /** `CAP_SYS_MODULE`: it may load modules. */
  readonly sysModule: boolean;
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
  const effective = BigInt(`0x${field('CapEff') ?? '0'}`);
  const confinement = files.read('/proc/self/attr/current')?.replace(/\0/g, '').trim();
  return {
    netAdmin: (effective & (1n << CAP_NET_ADMIN)) !== 0n,
    sysModule: (effective & (1n << CAP_SYS_MODULE)) !== 0n,
    seccomp: field('Seccomp') === '2',
    confinement: confines(confinement) ? confinement : undefined,
  };
}

/** What the file says where no security module has a policy is no confinement. */
function confines(label: string | undefined): label is string {
  return label !== undefined && !['', 'unconfined', 'kernel'].includes(label);
}
