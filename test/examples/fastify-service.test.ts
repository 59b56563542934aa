import t from 'tap';
import { exampleCa, startExample } from './example.js';
import { getOverHttp1, getOverHttp2 } from './get.js';

t.test('the Fastify service answers over HTTP/1.1 and h2, and closes on SIGTERM', async (t) => {
  const service = startExample(t, 'fastify-service');
  const [, port] = await service.saw(/curl --cacert \S+ https:\/\/localhost:(\d+)/);

  t.match(await getOverHttp1(Number(port), exampleCa()), {
    hello: 'world',
    http: '1.1',
    tls: { protocol: 'TLSv1.3' },
  });
  t.match(await getOverHttp2(Number(port), exampleCa()), {
    hello: 'world',
    http: '2.0',
    tls: { protocol: 'TLSv1.3', alpn: 'h2' },
  });
  t.match(await service.kill('SIGTERM'), { code: 0, signal: null });
});
