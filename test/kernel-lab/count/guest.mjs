/** What runs inside: the guest's first process, a script for busybox' shell. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onPipes, quote, taskScript, write } from '../guest.mjs';

/** Where busybox lies in the guest. */
export const busyboxInGuest = '/run/bin/busybox';

/**
 * Writes what the guest has beside this machine's files into `folder`, which is its root.
 *
 * The kernel's console is the first serial port, the command's output the second and the third;
 * its exit status goes to the fourth.
 */
export function writeGuest({ folder, modules, command, cwd, env }) {
  for (const name of ['dev', 'etc', 'proc', 'run/lab', 'sys', 'tmp']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  write(join(folder, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
  write(join(folder, 'etc/passwd'), 'root:x:0:0:root:/tmp:/bin/sh\n');
  const task = '/run/lab/task.sh';
  write(join(folder, task), taskScript({ busybox: busyboxInGuest, command, cwd, env }));
  write(
    join(folder, 'init'),
    `#!${busyboxInGuest} sh
${busyboxInGuest} --install -s /run/bin
export PATH=/run/bin
# Without a status the lab reports what went wrong from the console.
trap 'poweroff -f' EXIT
set -e

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
chmod 1777 /tmp
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
${modules.map((file) => `insmod ${quote(file)}`).join('\n')}

hostname count-lab
ip link set lo up
ulimit -n 200000
set +e
${onPipes(task, '/dev/ttyS1', '/dev/ttyS2')}
echo $status >/dev/ttyS3
`,
  );
}
