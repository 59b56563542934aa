import type { HostFiles } from './host-files';

/** Where a process runs, as far as loading kernel modules goes. */
export interface Place {
  readonly kind: 'host' | 'container' | 'kubernetes';
  /** What gave it away. */
  readonly evidence?: string;
}

/** What container runtimes leave in the file system of what they run. */
const MARKS: [file: string, runtime: string][] = [
  ['/.dockerenv', 'Docker'],
  ['/run/.containerenv', 'Podman'],
  ['/run/systemd/container', 'systemd-nspawn or another that systemd knows'],
];

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** A container shares the kernel of its host, and with it the host's modules. */
export function placeOf(files: HostFiles, env: NodeJS.ProcessEnv): Place {
  if (env['KUBERNETES_SERVICE_HOST'] !== undefined) {
    return { kind: 'kubernetes', evidence: 'KUBERNETES_SERVICE_HOST is set' };
  }
  if (files.has(SERVICE_ACCOUNT)) return { kind: 'kubernetes', evidence: SERVICE_ACCOUNT };
  const mark = MARKS.find(([file]) => files.has(file));
  if (mark) return { kind: 'container', evidence: `${mark[0]} (${mark[1]})` };
  if (env['container'] !== undefined) {
    return { kind: 'container', evidence: `container=${env['container']} in the environment` };
  }
  const group = files
    .lines('/proc/1/cgroup')
    .find((line) => /docker|containerd|libpod|lxc|kubepods/.test(line));
  if (group === undefined) return { kind: 'host' };
  return group.includes('kubepods')
    ? { kind: 'kubernetes', evidence: `control group ${group}` }
    : { kind: 'container', evidence: `control group ${group}` };
}
