// node scripts/check-exports.mjs [variant]
// Node exports its own OpenSSL; an AWS-LC symbol exported from the addon, or left for the dynamic
// linker to find, would be bound to it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { shown } from './log.mjs';
import { buildDir } from './paths.mjs';

const allowed = new Set(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
const foreign =
  /^(_?(SSL|EVP|BIO|X509|CRYPTO|ERR|RSA|EC|ASN1|PEM|OPENSSL|HMAC|RAND|AES)_|d2i_|i2d_)/;

const addon = join(buildDir, process.argv[2] ?? 'Release', 'aws_lc.node');
const exported = symbols('--defined-only');
const wrong = exported.filter((name) => !allowed.has(name));
const unbound = symbols('--undefined-only').filter((name) => foreign.test(name));

for (const name of wrong) console.error(`exported, but not a Node-API entry point: ${name}`);
for (const name of unbound) console.error(`undefined, so Node's OpenSSL would answer: ${name}`);
const complete = exported.includes('napi_register_module_v1');
if (wrong.length + unbound.length > 0 || !complete) {
  console.error(`${shown(addon)}: exports must be exactly the Node-API entry points`);
  process.exitCode = 1;
} else {
  console.log(`${shown(addon)} exports only ${exported.join(', ')}`);
}

function symbols(filter) {
  const { status, stdout, stderr, error } = spawnSync('nm', ['-D', filter, addon], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) {
    console.error(error ? 'nm not found: install the Debian package binutils' : stderr.trim());
    process.exit(1);
  }
  // Weak undefined symbols (type w) are AWS-LC's hooks for a foreign allocator, absent in Node.
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '' && !/ w \S+$/.test(line))
    .map((line) => line.trim().split(/\s+/).at(-1).replace(/@.*/, ''));
}
