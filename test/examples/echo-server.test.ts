import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { exampleCa, startExample } from './example.js';
import { within } from '../helpers/wait.js';

t.test('the echo server sends back all that a client sends, then ends', async (t) => {
  const server = startExample(t, 'echo-server');
  const [, port] = await server.saw(/echo on localhost:(\d+)/);
  const sent = 'echo '.repeat(100_000);

  const socket = connect({ host: 'localhost', port: Number(port), ca: exampleCa() });
  socket.end(sent);
  const received = await within('the echo', text(socket));

  t.ok(socket.authorized);
  t.equal(received.length, sent.length);
  t.ok(received === sent);
  await server.saw(/: TLSv1\.3 TLS_AES_\S+ \S+/);
});

t.test('the echo server outlives a client that speaks no TLS', async (t) => {
  const server = startExample(t, 'echo-server');
  const [, port] = await server.saw(/echo on localhost:(\d+)/);

  connectTcp(Number(port), 'localhost')
    .on('error', () => {})
    .end('GET / HTTP/1.1\r\n\r\n');
  await server.saw(/handshake failed/);

  const socket = connect({ host: 'localhost', port: Number(port), ca: exampleCa() });
  socket.end('still there');
  t.equal(await within('the echo', text(socket)), 'still there');
});
