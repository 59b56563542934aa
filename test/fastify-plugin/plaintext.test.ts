import t, { type Test } from 'tap';
import { missing } from '../helpers/tools.js';
import { eventually, within } from '../helpers/wait.js';
import { eachForm, listen, makeApp } from './app.js';
import { curl, h1, rawTcp, untilClosed } from './clients.js';

/** An alert record or nothing: what a TLS server may say to somebody who does not speak TLS. */
function saysNothingInPlaintext(t: Test, received: Buffer): void {
  const text = received.toString('latin1');
  t.notMatch(text, /HTTP|400|Bad Request|<html/i);
  if (received.length > 0) t.equal(received[0], 0x15, 'a TLS alert record');
}

const garbage: Record<string, Buffer> = {
  'a plaintext HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a plaintext h2 preface': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  'one byte': Buffer.from('G'),
  zeros: Buffer.alloc(1000),
  'a record of a wrong type': Buffer.from('99030100050102030405', 'hex'),
  'a ClientHello cut short': Buffer.from('160301020001000', 'hex'),
  '64 KiB of noise': Buffer.alloc(65_536, 'noise'),
};

eachForm(t, 'nothing but TLS is ever answered', async (t, form) => {
  for (const [what, bytes] of Object.entries(garbage)) {
    t.test(what, async (t) => {
      const app = await makeApp(t, { form, tls: { handshakeTimeout: 1000 } });
      let clientErrors = 0;
      app.server.on('clientError', () => clientErrors++);
      app.get('/', async () => 'ok');
      const port = await listen(app);

      const socket = await rawTcp(t, port);
      const received = untilClosed(socket);
      socket.write(bytes);
      saysNothingInPlaintext(t, await within('the socket to close', received, 5000));
      await eventually('the failure to be counted', () =>
        Object.values(app.tls.stats().failures).includes(1),
      );
      t.equal(clientErrors, 0, 'no HTTP error handler got near the socket');
      t.match(await h1(port), { status: 200 }, 'others are served');
    });
  }
});

eachForm(t, 'a client that ends or resets during the handshake is counted', async (t, form) => {
  const app = await makeApp(t, { form });
  app.get('/', async () => 'ok');
  const port = await listen(app);
  const ends = await rawTcp(t, port);
  ends.end();
  saysNothingInPlaintext(t, await untilClosed(ends));
  const resets = await rawTcp(t, port);
  resets.write('x');
  resets.resetAndDestroy();
  await eventually('two failures', () => sum(app.tls.stats().failures) === 2);
  t.match(await h1(port), { status: 200 });
});

eachForm(t, 'a silent connection is closed after handshakeTimeout', async (t, form) => {
  const app = await makeApp(t, { form, tls: { handshakeTimeout: 300 } });
  const port = await listen(app);
  const started = Date.now();
  saysNothingInPlaintext(t, await untilClosed(await rawTcp(t, port)));
  const took = Date.now() - started;
  t.ok(took >= 250 && took < 3000, `closed after ${took} ms`);
});

t.test('curl over http: gets no answer', { skip: missing('curl', 'curl') }, async (t) => {
  const app = await makeApp(t);
  const port = await listen(app);
  const { code, stdout } = await curl(t, [`http://127.0.0.1:${port}/`]);
  t.not(code, 0);
  t.equal(stdout, '');
});

t.test('a failed handshake is logged at debug level with its code', async (t) => {
  const lines: { level: number; msg: string; code?: string; remoteAddress?: string }[] = [];
  const app = await makeApp(t, {
    fastify: {
      logger: {
        level: 'debug',
        stream: { write: (line: string) => lines.push(JSON.parse(line) as never) },
      },
    },
  });
  const port = await listen(app);
  const socket = await rawTcp(t, port);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await untilClosed(socket);
  await eventually('the log line', () => lines.some(({ msg }) => /handshake/.test(msg)));
  const line = lines.find(({ msg }) => /handshake/.test(msg));
  t.match(line, { level: 20, code: /^(ERR_|E)/, remoteAddress: '127.0.0.1' });
});

t.test("a 'tlsClientError' listener is told", async (t) => {
  const app = await makeApp(t);
  const told = new Promise<Error>((resolve) => app.server.on('tlsClientError', resolve));
  const port = await listen(app);
  (await rawTcp(t, port)).write('hello?');
  t.type(await within("'tlsClientError'", told), Error);
});

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}
