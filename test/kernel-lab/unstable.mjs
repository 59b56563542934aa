/**
 * The kernel that can change keys (TLS 1.3 KeyUpdate: Linux 6.14): user-mode Linux as Debian
 * unstable has it today.
 *
 * It wants a C library that is newer than this machine's, which is unpacked beside it. The machine's
 * own apt is not told of unstable: the lists of packages are read into a folder that goes again.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { LabUnavailable } from './unavailable.mjs';

const packages = ['user-mode-linux', 'libc6'];
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const seconds = 20;

/** Paths of the kernel, made ready for one run, and of its modules; throws {@link LabUnavailable}. */
export function unstableKernel(runDir) {
  if (spawnSync('patchelf', ['--version']).error) {
    throw new LabUnavailable(
      'needs patchelf (Debian package patchelf); run: apt-get install -y patchelf',
    );
  }
  const root = cached('unstable', download);
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const kernel = join(runDir, 'linux.uml');
  // Not by way of the other ld.so: the kernel executes itself again. And not once for all: an
  // interpreter is named by its whole path, and the checkout may be moved.
  run('patchelf', [
    ...['--set-interpreter', join(libraries, 'ld-linux-x86-64.so.2')],
    ...['--set-rpath', libraries],
    ...['--output', kernel],
    join(root, 'usr/bin/linux.uml'),
  ]);
  return { kernel, modules: join(root, 'usr/lib/uml/modules') };
}

function download(scratch, unpacked) {
  console.error(`[lab] downloading ${packages.join(' and ')} of Debian unstable`);
  const sources = join(scratch, 'sources.list');
  writeFileSync(sources, `deb [signed-by=${keyring}] ${mirror()} unstable main\n`);
  const lists = join(scratch, 'lists');
  const cache = join(scratch, 'cache');
  for (const folder of [lists, cache]) mkdirSync(join(folder, 'partial'), { recursive: true });
  const options = [
    `Dir::State::lists=${lists}`,
    `Dir::Cache=${cache}`,
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=/dev/null',
    'Dir::Etc::preferences=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    // root's apt-get works as a user of its own, who may not write into the checkout.
    'APT::Sandbox::User=root',
    'APT::Architecture=amd64',
    'APT::Update::Error-Mode=any',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Acquire::Languages=none',
    `Acquire::http::Timeout=${seconds}`,
    `Acquire::https::Timeout=${seconds}`,
  ].flatMap((option) => ['-o', option]);
  run('apt-get', [...options, '-qq', 'update'], scratch);
  run('apt-get', [...options, '-qq', 'download', ...packages], scratch);
  for (const deb of readdirSync(scratch).filter((file) => file.endsWith('.deb'))) {
    run('dpkg', ['-x', deb, unpacked], scratch);
  }
}

/** Where this machine gets its own Debian from. */
function mirror() {
  const format = ['--format', '$(ORIGIN) $(LABEL) $(REPO_URI)', 'Created-By: Packages'];
  const [uri] = run('apt-get', ['indextargets', ...format])
    .split('\n')
    .filter((line) => line.startsWith('Debian Debian '))
    .map((line) => line.split(' ')[2]);
  if (!uri) throw new LabUnavailable('no kernel of Debian unstable: apt knows no mirror of Debian');
  return uri;
}

function run(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  const cause = error?.message ?? stderr.trim().split('\n').at(-1);
  throw new LabUnavailable(`no kernel of Debian unstable: ${command} failed (${cause})`);
}
