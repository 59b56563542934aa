/** `sendFile()` where the kernel seals: with sendfile(2), and the same in every way that can be seen. */
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { sendFileCases } from '../core/send-file-cases.js';
import { run } from '../helpers/children.js';
import { connected, read } from '../helpers/handshake.js';
import { missing } from '../helpers/tools.js';
import { noneLeft } from './statistics.js';

t.setTimeout(170_000);

t.test('both directions in the kernel', (t) => {
  sendFileCases(t, { server: { ktls: 'require' }, client: { ktls: 'require' } });
  t.end();
});

t.test(
  'the file is sent by the kernel and read by nobody',
  { skip: missing('strace', 'strace') },
  async (t) => {
    const folder = t.testdir({});
    const [file, trace] = [path.join(folder, 'to-be-sent'), path.join(folder, 'trace')];
    writeFileSync(file, Buffer.alloc(3_000_000));
    const program = path.join(__dirname, 'programs', 'send-file.js');
    const calls = 'trace=sendfile,read,readv,pread64,preadv,preadv2,mmap,splice,copy_file_range';
    const command = [
      '-f',
      '--seccomp-bpf',
      '-y',
      '-o',
      trace,
      '-e',
      calls,
      process.execPath,
      program,
      file,
    ];
    const { stdout, stderr } = await run(t, 'strace', command, { timeout: 60_000 });
    t.equal(stdout, '3000000 sent, 3000000 received, tx true\n', stderr);
    const seen = readFileSync(trace, 'utf8').match(/\w+\(.*to-be-sent.*/g)!;
    t.ok(seen.length > 2, seen.join('\n'));
    for (const call of seen) t.match(call, /^sendfile\(/);
  },
);

t.test('the kernel takes over in the middle of a file', async (t) => {
  const ktls = { afterBytes: 200_000 };
  const { client, server } = await connected(t, { server: { ktls }, client: { ktls: 'off' } });
  const file = path.join(t.testdir({}), 'file');
  const bytes = Buffer.alloc(1_000_000, 'in the middle, ');
  writeFileSync(file, bytes);
  const handle = await open(file);
  t.equal(server.ktls.tx, false);
  const arrived = read(client, bytes.length);
  t.equal(await server.sendFile(handle), bytes.length);
  await handle.close();
  t.ok((await arrived) === bytes.toString());
  t.equal(server.ktls.tx, true);
});

t.test('nothing stays in the kernel', noneLeft);
