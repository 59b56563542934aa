/** The recipe for OpenTelemetry, with the SDK's exporter in memory. */
import { ClientConfig, ServerConfig, TlsAcceptor, TlsConnector } from '@node-aws-lc/core';
import type { Tracer } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { get } from 'node:https';
import path from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import { clientOptions, failedHandshake, serverOptions } from '../helpers/handshake.js';
import { memoryPair } from '../helpers/memory-pair.js';
import * as pki from '../helpers/pki.js';
import { exampleCa, startExample } from './example.js';

const recipe = path.join(__dirname, '../../../examples/dist/opentelemetry.js');
// eslint-disable-next-line @typescript-eslint/no-require-imports -- another project's output
const { traceTls } = require(recipe) as { traceTls: (tracer: Tracer) => () => void };

/** How many handshakes are traced. */
const HANDSHAKES = 1000;

function tracing() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  return { exporter, stop: traceTls(provider.getTracer('test')) };
}

t.test(`${HANDSHAKES} handshakes are as many spans on each side`, async (t) => {
  const { exporter, stop } = tracing();
  t.teardown(stop);
  const server = new ServerConfig(await serverOptions({ ALPNProtocols: ['h2'] }));
  const acceptor = new TlsAcceptor(server);
  const client = new ClientConfig(await clientOptions({ ALPNProtocols: ['h2'] }));
  const connector = new TlsConnector(client);
  const sessions: Buffer[] = [];
  for (let i = 0; i < HANDSHAKES; i++) {
    const [one, other] = memoryPair();
    const accepted = acceptor.accept(other);
    // TLS 1.3's tickets, each used once.
    const session = sessions.pop();
    const stream = await connector.connect('localhost', one, { session });
    stream.on('session', (ticket: Buffer) => sessions.push(ticket));
    const peer = await accepted;
    peer.on('error', () => {}).destroy();
    stream.on('error', () => {}).destroy();
  }
  const spans = exporter.getFinishedSpans();
  for (const side of ['client', 'server']) {
    const own = spans.filter(({ name }) => name === `TLS handshake (${side})`);
    t.equal(own.length, HANDSHAKES);
    const wrong = own.filter(({ attributes }) => {
      const { 'tls.cipher': cipher, 'tls.curve': curve } = attributes;
      return (
        attributes['tls.protocol.version'] !== '1.3' ||
        attributes['tls.client.server_name'] !== 'localhost' ||
        attributes['tls.next_protocol'] !== 'h2' ||
        attributes['tls.established'] !== true ||
        typeof attributes['tls.resumed'] !== 'boolean' ||
        typeof attributes['aws_lc.ktls.tx'] !== 'boolean' ||
        !String(cipher).startsWith('TLS_') ||
        curve !== 'X25519MLKEM768'
      );
    });
    t.same(wrong, []);
  }
  const shown = inspect(
    spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity },
  );
  const { key } = await pki.server();
  const secrets = [key.split('\n')[1]!, server.ticketKeys.current.toString('hex')];
  t.notOk(secrets.some((secret) => shown.includes(secret)));
  t.notMatch(shown, /<Buffer|PRIVATE KEY/);
});

t.test('a handshake that fails is a span with its error', async (t) => {
  const { exporter, stop } = tracing();
  t.teardown(stop);
  const { key, chain: cert } = await pki.expiredServer();
  await failedHandshake(t, { server: { key, cert } });
  const spans = exporter.getFinishedSpans();
  const client = spans.find(({ name }) => name.includes('client'))!;
  t.match(client.attributes, { 'tls.established': false, 'error.type': 'CERT_HAS_EXPIRED' });
  t.match(client.status, { code: 2 });
  t.match(client.events, [{ name: 'exception' }]);
  stop();
  await failedHandshake(t, { server: { key, cert } });
  t.equal(exporter.getFinishedSpans().length, spans.length, 'and none after that');
});

t.test('the service prints the span of a request', async (t) => {
  const service = startExample(t, 'opentelemetry-service');
  const [, port] = await service.saw(/https:\/\/localhost:(\d+)/);
  get({ host: 'localhost', port, ca: exampleCa(), agent: false }, (response) =>
    response.resume(),
  ).on('error', () => {});
  await service.saw(/'tls\.protocol\.version': '1\.3'/);
});
