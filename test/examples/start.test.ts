import { statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { run } from '../helpers/children.js';
import { missing } from '../helpers/tools.js';
import { exampleCa, exampleKeyFile, startExample } from './example.js';
import { getOverHttp1, getOverHttp2 } from './get.js';

t.test('npm start calls its own service over h2 and HTTP/1.1 and says what it got', async (t) => {
  const service = startExample(t, 'start');
  await service.saw(/serving until Ctrl-C/);

  t.match(service.stdout, /AWS-LC \d+\.\d+\.\d+, Node v\d+/);
  t.match(service.stdout, /over HTTP\/2\.0: TLSv1\.3, TLS_AES_\w+, X25519MLKEM768, ALPN h2\n/);
  t.match(
    service.stdout,
    /over HTTP\/1\.1: TLSv1\.3, TLS_AES_\w+, X25519MLKEM768, ALPN http\/1\.1\n/,
  );
  t.match(service.stdout, /kTLS: sending (on|off \(.+\)|off, receiving)/);
});

t.test('npm start serves others until it is told to stop', async (t) => {
  const service = startExample(t, 'start');
  const [, port] = await service.saw(/curl --cacert \S+ https:\/\/localhost:(\d+)/);

  t.match(await getOverHttp1(Number(port), exampleCa()), { http: '1.1' });
  t.match(await getOverHttp2(Number(port), exampleCa()), { http: '2.0' });

  t.match(await service.kill('SIGTERM'), { code: 0, signal: null });
  t.match(service.stdout, /SIGTERM: closing[^]*closed\n$/);
});

t.test(
  'the curl line that npm start prints works',
  { skip: missing('curl', 'curl') },
  async (t) => {
    const service = startExample(t, 'start');
    const [, caFile, url] = await service.saw(/curl --cacert (\S+) (\S+)/);

    for (const version of ['--http1.1', '--http2']) {
      const args = ['--silent', '--show-error', version, '--cacert', caFile!, url!];
      const { code, stdout, stderr } = await run(t, 'curl', args);
      t.equal(code, 0, stderr);
      t.match(JSON.parse(stdout), { http: version === '--http2' ? '2.0' : '1.1' });
    }
  },
);

t.test('the key of the development certificate is for its owner only', async (t) => {
  const service = startExample(t, 'start');
  await service.saw(/development certificate/);
  t.equal(statSync(exampleKeyFile).mode & 0o777, 0o600);
});

t.test('npm start says so when its port is in use', async (t) => {
  const other = createServer().listen(0, 'localhost');
  await new Promise((resolve) => other.once('listening', resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;

  const { code, stdout } = await startExample(t, 'start', [], { env: { PORT: String(port) } })
    .ended;
  t.equal(code, 1);
  t.match(stdout, new RegExp(`port ${port} is in use; choose another: PORT=\\d+ npm start\n$`));
});
