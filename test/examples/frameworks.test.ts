import { connect } from 'node:http2';
import { json } from 'node:stream/consumers';
import t from 'tap';
import { exampleCa, startExample } from './example.js';
import { getOverHttp1, getOverHttp2 } from './get.js';
import { within } from '../helpers/wait.js';

for (const [framework, example] of [
  ['Express', 'express-server'],
  ['Hono', 'hono-server'],
] as const) {
  t.test(`an ${framework} application answers over HTTP/1.1 and h2`, async (t) => {
    const server = startExample(t, example);
    const [, port] = await server.saw(/https:\/\/localhost:(\d+)/);
    const expected =
      framework === 'Express'
        ? { protocol: 'https', hostname: 'localhost' }
        : { url: `https://localhost:${port}/` };
    t.match(await getOverHttp1(Number(port), exampleCa()), expected);
    t.match(await getOverHttp2(Number(port), exampleCa()), expected);

    const session = connect(`https://localhost:${port}`, { ca: exampleCa() });
    t.teardown(() => session.destroy());
    const headers = { ':path': '/', ':method': 'POST', 'content-type': 'application/json' };
    const request = session.request(headers);
    request.end('{"a":[1,2]}');
    t.same(await within('an answer', json(request)), { received: { a: [1, 2] } });
    session.close();
    t.match(await server.kill('SIGTERM'), { code: 0 });
  });
}
