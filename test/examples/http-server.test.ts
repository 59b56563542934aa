import t from 'tap';
import { exampleCa, startExample } from './example.js';
import { getOverHttp1 } from './get.js';

t.test('the node:http server answers over TLS', async (t) => {
  const server = startExample(t, 'http-server');
  const [, port] = await server.saw(/https:\/\/localhost:(\d+)/);

  t.match(await getOverHttp1(Number(port), exampleCa()), {
    url: '/',
    tls: { protocol: 'TLSv1.3', serverName: 'localhost' },
  });
});
