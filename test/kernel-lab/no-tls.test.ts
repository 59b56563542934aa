/** A real kernel without its TLS module: the connection stays in userspace and says so. */
import path from 'node:path';
import t from 'tap';
import { program as doctor } from '../doctor/internals.js';
import { run } from '../helpers/children.js';
import { labMissing, labScript } from '../helpers/lab.js';

const program = path.join(__dirname, 'programs', 'no-tls.js');
// What `tls` finds by name when it is asked for AES-GCM.
const tlsParts = ['ctr', 'ghash-generic?', 'gcm'];

t.setTimeout(240_000);

t.test('a host without the module is told how to get it', { skip: labMissing() }, async (t) => {
  const command = [labScript, '--no-tls', process.execPath, program];
  const { stdout, stderr } = await run(t, process.execPath, command, { timeout: 120_000 });
  if (stdout === '') throw new Error(stderr);
  const says = JSON.parse(stdout) as Record<string, object>;
  t.equal(says['available'], false);
  t.match(says['host'], { available: false, ciphers: [], advice: [/modprobe tls/] });
  const refused = { tx: false, rx: false, reason: /modprobe tls/ };
  t.match(says['connection'], { echoed: 'in userspace', client: refused, server: refused });
  t.match(says['required'], { code: 'ERR_AWS_LC_KTLS_REQUIRED', message: /modprobe tls/ });
});

t.test('a module that is loaded meanwhile is used at once', { skip: labMissing() }, async (t) => {
  const parts = tlsParts.flatMap((name) => ['--module', name]);
  const command = [process.execPath, program, 'net/tls/tls.ko'];
  const { stdout, stderr } = await run(
    t,
    process.execPath,
    [labScript, '--no-tls', ...parts, ...command],
    { timeout: 120_000 },
  );
  if (stdout === '') throw new Error(stderr);
  const says = JSON.parse(stdout) as Record<string, object>;
  t.match(says['connection'], { client: { tx: false, rx: false } });
  const both = { client: { tx: true, rx: true } };
  t.match(says['after'], { auto: both, required: both });
});

t.test('the doctor says the same there', { skip: labMissing() }, async (t) => {
  const command = [labScript, '--no-tls', process.execPath, doctor, 'doctor', '--json'];
  const { code, stdout, stderr } = await run(t, process.execPath, command, { timeout: 120_000 });
  t.equal(code, 1, stderr);
  t.match(JSON.parse(stdout), {
    verdict: 'userspace',
    kernelTls: { statisticsThere: false, statistics: null, attachError: /^ENOENT: / },
    findings: [{ key: 'module-missing', advice: /modprobe tls/ }],
  });
});
