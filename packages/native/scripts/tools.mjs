import { spawnSync } from 'node:child_process';
import { BuildError } from './log.mjs';

/**
 * Finds what the build needs. Every missing tool is reported, one line each, so that a fresh
 * machine needs one round of installing and not five.
 */
export function findTools({ needCargo }) {
  const cc = probe(process.env.CC ?? 'cc');
  const cxx = probe(process.env.CXX ?? 'c++');
  const cmake = probe('cmake');
  const ninja = probe('ninja');
  const make = probe('make');
  const cargo = needCargo ? probe('cargo') : undefined;

  const missing = [];
  if (!cc) missing.push('no C compiler found: install the Debian package gcc');
  if (!cxx) missing.push('no C++ compiler found: install the Debian package g++');
  if (!cmake) missing.push('cmake not found: install the Debian package cmake');
  if (!ninja && !make) missing.push('make not found: install the Debian package make');
  if (needCargo && !cargo) {
    missing.push(
      'cargo not found: install cargo 1.71 or newer with rustup, ' +
        'or set AWS_LC_SOURCE_DIR to an unpacked AWS-LC tree',
    );
  }
  if (missing.length > 0) throw new BuildError(missing.join('\n'));

  return {
    generator: ninja ? 'Ninja' : 'Unix Makefiles',
    compilers: [cc, cxx],
    cmake,
  };
}

/** The first line of `name --version`, or undefined when it cannot be run. */
function probe(name) {
  // CC and CXX may hold arguments, as in CXX="ccache g++".
  const [command, ...args] = name.trim().split(/\s+/);
  const { status, stdout } = spawnSync(command, [...args, '--version'], { encoding: 'utf8' });
  return status === 0 ? `${name}: ${stdout.split('\n', 1)[0]}` : undefined;
}
