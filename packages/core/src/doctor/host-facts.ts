import { release, version } from 'node:os';
import * as native from '@node-aws-lc/native';
import { runningRelease } from '../ktls/kernel';
import { HostFiles } from './host-files';
import { kernelCrypto, type KernelCrypto } from './kernel-crypto';
import { placeOf, type Place } from './place';
import { privilegesOf, type Privileges } from './privileges';
import { tlsStatistics } from './statistics';
import { tlsModule, type TlsModule } from './tls-module';

/** What is so on a host, without judgement. */
export interface HostFacts {
  readonly kernel: {
    /** What `uname -r` prints. */
    readonly release: string;
    /** What `uname -v` prints. */
    readonly build: string;
    /** The release of kernel.org that it was made from. */
    readonly upstream: string;
  };
  /** What became of an attempt on a loopback connection. */
  readonly probe: native.NativeHostProbe;
  readonly module: TlsModule;
  /** `net.ipv4.tcp_available_ulp`. */
  readonly availableUlps: readonly string[];
  readonly statistics: Readonly<Record<string, number>> | undefined;
  readonly place: Place;
  readonly privileges: Privileges;
  readonly crypto: KernelCrypto;
}

/** Looks at this host, which must be Linux, and tries kernel TLS out: that may make the kernel load its modules. */
export function hostFacts(): HostFacts {
  // First, so that the rest shows what the attempt has loaded.
  const probe = native.probeKernelTls();
  const files = new HostFiles();
  return {
    kernel: { release: release(), build: version(), upstream: runningRelease },
    probe,
    module: tlsModule(files, release()),
    availableUlps: (files.read('/proc/sys/net/ipv4/tcp_available_ulp') ?? '')
      .split(/\s+/)
      .filter((name) => name !== ''),
    statistics: tlsStatistics(files),
    place: placeOf(files, process.env),
    privileges: privilegesOf(files),
    crypto: kernelCrypto(files),
  };
}
