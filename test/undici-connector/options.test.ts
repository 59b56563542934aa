/** What `createConnector` takes, refuses and ignores. */
import { execFile } from 'node:child_process';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { createSecureContext } from '@node-aws-lc/core';
import { type ConnectorOptions, createConnector } from '@node-aws-lc/undici-connector';
import t from 'tap';
import { errors } from 'undici';
import { client, root } from '../helpers/pki.js';
import { callFor, connect } from './connect.js';
import { startOrigin } from './origin.js';
import { undicis } from './undicis.js';

const run = promisify(execFile);

t.test('options that cannot work are refused at once', async (t) => {
  const { key } = await client();
  const { cert } = await root();
  const refused: ConnectorOptions[] = [
    { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
    { key, cert },
    { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' },
    { caFile: '/does/not/exist.pem' },
  ];
  for (const options of refused) {
    t.throws(() => createConnector(options), { code: /^ERR_AWS_LC_CONFIG_/ });
  }
});

t.test("undici's own options are checked as undici checks them", (t) => {
  for (const maxCachedSessions of [-1, 1.5, '7' as unknown as number]) {
    t.throws(() => createConnector({ maxCachedSessions }), errors.InvalidArgumentError);
  }
  for (const timeout of [-1, NaN, '7' as unknown as number]) {
    t.throws(() => createConnector({ timeout }), errors.InvalidArgumentError);
  }
  t.end();
});

t.test('options that nobody knows are ignored', async (t) => {
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const { cert: ca } = await root();
  const unknown = { ca, minDHSize: 1024, enableTrace: false, host: 'nowhere' };
  const { error, socket } = await connect(createConnector(unknown), callFor(origin));
  t.equal(error, null);
  socket?.destroy();
});

t.test('an option that is null or an empty path is not given', async (t) => {
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const { cert: ca } = await root();
  // Every one of these is taken by undici's own connector.
  const names = [
    ...['cert', 'key', 'crl', 'pfx', 'passphrase', 'ciphers', 'sigalgs', 'session', 'servername'],
    ...['minVersion', 'maxVersion', 'secureProtocol', 'secureOptions', 'secureContext'],
    ...['pskCallback', 'requestOCSP', 'rejectUnauthorized', 'allowPartialTrustChain'],
    ...['privateKeyEngine', 'clientCertEngine', 'lookup', 'localAddress', 'typeOfService'],
    ...['autoSelectFamily', 'keepAlive', 'timeout', 'allowH2', 'socketPath', 'maxCachedSessions'],
  ];
  const nulls = Object.fromEntries(names.map((name) => [name, null]));
  for (const options of [nulls, { socketPath: '', path: '' }]) {
    const connector = createConnector({ ca, ...options });
    const { error, socket } = await connect(connector, callFor(origin, { socketPath: '' }));
    t.equal(error, null);
    socket?.destroy();
  }
});

t.test('secureContext is refused, whose trust would be lost', (t) => {
  for (const secureContext of [tls.createSecureContext(), createSecureContext()]) {
    const options = { secureContext } as ConnectorOptions;
    t.throws(() => createConnector(options), {
      code: 'ERR_AWS_LC_CONFIG_UNSUPPORTED',
      option: 'secureContext',
    });
  }
  t.end();
});

t.test('highWaterMark is the connection’s', async (t) => {
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const { cert: ca } = await root();
  const { socket } = await connect(createConnector({ ca, highWaterMark: 5000 }), callFor(origin));
  t.equal(socket?.readableHighWaterMark, 5000);
  socket?.destroy();
  const wrong = await connect(createConnector({ ca, highWaterMark: -5 }), callFor(origin));
  t.match(wrong.error, { code: 'ERR_INVALID_ARG_VALUE' });
});

t.test('HTTP/2 is offered', async (t) => {
  const origin = await startOrigin({ protocol: 'h2' });
  t.teardown(() => origin.close());
  const { cert: ca } = await root();

  const negotiated = async (options: ConnectorOptions, call = {}) => {
    const connector = createConnector({ ca, ...options });
    const { socket } = await connect(connector, { ...callFor(origin), ...call });
    socket?.destroy();
    return (socket as { alpnProtocol?: unknown }).alpnProtocol;
  };

  t.equal(await negotiated({ allowH2: true }), 'h2', 'when the connector is told so');
  t.equal(await negotiated({}, { allowH2: true }), 'h2', 'when the client is told so');
  t.equal(await negotiated({}), 'http/1.1', 'not otherwise, by undici 7');
  t.equal(
    await negotiated({ allowH2: false }, { allowH2: true }),
    'http/1.1',
    'the connector rules',
  );
  t.equal(
    await negotiated({ allowH2: true }, { allowH2: false }),
    'http/1.1',
    'but for a request that can only go over HTTP/1.1',
  );
  const ignored = { ALPNProtocols: ['h2'], alpnProtocols: ['h2'] };
  t.equal(await negotiated(ignored), 'http/1.1', 'whatever ALPNProtocols says');
});

for (const { name, packageName, skip } of undicis) {
  t.test(`the default of ${name} for HTTP/2 is the connector's`, { skip }, async (t) => {
    const origin = await startOrigin({ protocol: 'h2' });
    t.teardown(() => origin.close());
    const { cert: ca } = await root();

    const httpVersion = async (own: string) => {
      // The connector finds undici by its name; in the child that name leads to this version.
      const script = `
        const Module = require('node:module');
        const resolve = Module._resolveFilename;
        Module._resolveFilename = (name, ...rest) =>
          resolve(name.replace(/^undici(?=\\/|$)/, '${packageName}'), ...rest);
        const { Agent, request } = require('undici');
        const { createConnector } = require('@node-aws-lc/undici-connector');
        const { CA: ca, URL: url } = process.env;
        const dispatcher = new Agent({ connect: ${own} });
        request(url, { dispatcher })
          .then(({ body }) => body.json())
          .then(({ httpVersion }) => console.log(httpVersion))
          .finally(() => dispatcher.destroy());`;
      const env = { ...process.env, CA: ca, URL: origin.url };
      const { stdout } = await run(process.execPath, ['-e', script], { cwd: __dirname, env });
      return stdout.trim();
    };

    t.equal(await httpVersion('createConnector({ ca })'), await httpVersion('{ ca }'));
  });
}

t.test('preferH2 puts h2 first in the offer', async (t) => {
  let offered: string[] = [];
  const ALPNCallback = ({ protocols }: { protocols: string[] }) => {
    offered = protocols;
    return 'http/1.1';
  };
  const origin = await startOrigin({ tls: { ALPNCallback } });
  t.teardown(() => origin.close());
  const { cert: ca } = await root();
  for (const preferH2 of [false, true]) {
    const connector = createConnector({ ca, allowH2: true, preferH2 });
    const { socket } = await connect(connector, callFor(origin));
    socket?.destroy();
    t.strictSame(offered, preferH2 ? ['h2', 'http/1.1'] : ['http/1.1', 'h2']);
  }
});
