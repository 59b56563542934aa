/** What runs inside: the guest's first process, a script for busybox' shell. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Variables that speak of folders which the guest does not have. */
const hostOnly = ['TMPDIR', 'TMP', 'TEMP', 'XDG_RUNTIME_DIR', 'OLDPWD', 'PWD', 'SHLVL', '_'];

/**
 * Writes the first process' script into `runDir` and returns its path.
 *
 * Its own console is the kernel's log. The command's output goes to consoles that nothing else
 * writes to, so nobody has to tell it from what the kernel says. Its exit status goes into a file.
 *
 * @param terminal the caller's terminal, `{ rows, columns }`, when the command is to have it
 */
export function writeInit({ runDir, busybox, modules, command, cwd, env, terminal }) {
  const task = write(join(runDir, 'task.sh'), taskScript({ busybox, command, cwd, env }));
  return write(
    join(runDir, 'init.sh'),
    `#!${busybox} sh
# Until it is covered, /proc is the host's, where /proc/self/exe is the kernel and not busybox.
${busybox} mount -t proc proc /proc
${busybox} mount -t tmpfs tmpfs /run
${busybox} mkdir -p /run/bin
${busybox} --install -s /run/bin
export PATH=/run/bin
# Without a status the lab reports what went wrong from the console.
trap 'sync; halt -f' EXIT
set -e

mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm /run/lab /run/cwd /run/tmp /run/tmp-work
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
${modules.map((file) => `insmod ${quote(file)}`).join('\n')}

mount -o bind ${quote(runDir)} /run/lab
mount -o bind ${quote(cwd)} /run/cwd
chmod 1777 /run/tmp
mount -t overlay -o lowerdir=/tmp,upperdir=/run/tmp,workdir=/run/tmp-work overlay /tmp
mount -o bind /run/cwd ${quote(cwd)}

hostname kernel-lab
ip link set lo up
ulimit -n 200000
set +e
${terminal ? onTerminal(task, terminal) : onPipes(task, '/dev/tty1', '/dev/tty2')}
echo $status >/run/lab/status
`,
  );
}

/** The command has a terminal: the caller's. */
function onTerminal(task, { rows, columns }) {
  return `stty -F /dev/tty1 rows ${rows} cols ${columns}
setsid -c ${quote(task)} </dev/tty1 >/dev/tty1 2>&1
status=$?`;
}

/** Runs the command where its caller is, with what its caller has in its environment. */
export function taskScript({ busybox, command, cwd, env }) {
  return `#!${busybox} sh
cd ${quote(cwd)} || exit 126
exec env -i ${assignments(env)} ${command.map(quote).join(' ')}
`;
}

/**
 * The command has pipes and no terminal, as it would in a script. What it leaves running keeps
 * them open, and is given two seconds to say its last. Sets `$status`.
 *
 * @param stdout the device that takes what the command prints, `stderr` the other
 */
export function onPipes(task, stdout, stderr) {
  return `stty -F ${stdout} -opost
stty -F ${stderr} -opost
mkfifo /run/stdout /run/stderr
cat /run/stdout >${stdout} &
stdout=$!
cat /run/stderr >${stderr} &
stderr=$!
setsid ${quote(task)} </dev/null >/run/stdout 2>/run/stderr
status=$?
{ sleep 2; kill $stdout $stderr; } 2>/dev/null &
wait $stdout $stderr`;
}

function assignments(env) {
  return Object.entries(env)
    .filter(([name]) => !hostOnly.includes(name))
    .map(([name, value]) => quote(`${name}=${value}`))
    .join(' ');
}

export function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function write(path, script) {
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}
