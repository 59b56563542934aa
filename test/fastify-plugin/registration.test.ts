import t from 'tap';
import {
  AwsLcFastifyError,
  awsLcServerFactory,
  awsLcTls,
  type AwsLcTlsOptions,
} from '@node-aws-lc/fastify-plugin';
import Fastify, { type FastifyInstance } from 'fastify';
import http2 from 'node:http2';
import * as pki from '../helpers/pki.js';
import { serverOptions } from '../helpers/handshake.js';
import { rejection, thrown } from '../helpers/wait.js';
import { listen, makeApp } from './app.js';
import { h1 } from './clients.js';

async function refusal(app: FastifyInstance, extra: object = {}): Promise<unknown> {
  t.teardown(() => app.close());
  const options = (await serverOptions(extra)) as AwsLcTlsOptions;
  return rejection(app.register(awsLcTls, options) as unknown as Promise<unknown>);
}

t.test('an application with https is refused', async (t) => {
  const { key, cert } = await pki.server();
  const app = Fastify({ https: { key, cert } }) as unknown as FastifyInstance;
  const error = await refusal(app);
  t.match(error, { code: 'ERR_AWS_LC_FASTIFY_HTTPS', message: /https option/ });
  t.type(error, AwsLcFastifyError);
});

t.test('an application with http2 is refused', async (t) => {
  const { key, cert } = await pki.server();
  const code = 'ERR_AWS_LC_FASTIFY_HTTP2';
  t.match(await refusal(Fastify({ http2: true }) as unknown as FastifyInstance), { code });
  const secure = Fastify({ http2: true, https: { key, cert } });
  t.match(await refusal(secure as unknown as FastifyInstance), { code });
});

t.test('a server that listens already is refused', async (t) => {
  const app = Fastify();
  await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
  t.match(await refusal(app), { code: 'ERR_AWS_LC_FASTIFY_LISTENING', message: /before listen/ });
});

t.test('registering after listen() is refused by Fastify itself', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  await app.listen({ port: 0 });
  const options = (await serverOptions()) as AwsLcTlsOptions;
  t.match(
    thrown(() => void app.register(awsLcTls, options)),
    { message: /already/ },
  );
});

t.test('a server that is not an http.Server is refused', async (t) => {
  const app = Fastify({ serverFactory: () => http2.createServer() as never });
  t.match(await refusal(app as unknown as FastifyInstance), { code: 'ERR_AWS_LC_FASTIFY_SERVER' });
});

t.test('a second registration is refused', async (t) => {
  const app = await makeApp(t);
  t.match(await refusal(app), { code: 'ERR_AWS_LC_FASTIFY_TWICE' });
});

t.test('the plugin on a server of the factory is refused', async (t) => {
  const app = await makeApp(t, { form: 'serverFactory' });
  t.match(await refusal(app), { code: 'ERR_AWS_LC_FASTIFY_TWICE' });
});

t.test('alpnProtocols must be protocols that are served', async (t) => {
  const code = 'ERR_AWS_LC_CONFIG_ALPN';
  t.match(await refusal(Fastify(), { alpnProtocols: ['http/1.0'] }), { code });
  t.match(await refusal(Fastify(), { alpnProtocols: [] }), { code });
  t.match(await refusal(Fastify(), { ALPNProtocols: ['h2', 'spdy/3'] }), { code });
});

t.test('options that make no server are refused with the code of the configuration', async (t) => {
  const { key } = await pki.serverRsa();
  t.match(await refusal(Fastify(), { key }), { code: /^ERR_AWS_LC_CONFIG_/ });
  t.match(await refusal(Fastify(), { key: 'no key' }), { code: /^ERR_AWS_LC_CONFIG_/ });
});

t.test(
  'the factory refuses https, http2 and bad options when the application is made',
  async (t) => {
    const options = (await serverOptions()) as AwsLcTlsOptions;
    const serverFactory = awsLcServerFactory(options);
    t.match(
      thrown(() => Fastify({ serverFactory, https: {} } as object)),
      {
        code: 'ERR_AWS_LC_FASTIFY_HTTPS',
      },
    );
    t.match(
      thrown(() => Fastify({ serverFactory, http2: true } as object)),
      {
        code: 'ERR_AWS_LC_FASTIFY_HTTP2',
      },
    );
    const noKey = awsLcServerFactory({ ...options, key: 'no key' });
    t.match(
      thrown(() => Fastify({ serverFactory: noKey })),
      { code: /^ERR_AWS_LC_CONFIG_/ },
    );
  },
);

t.test('one factory serves several applications', async (t) => {
  const serverFactory = awsLcServerFactory((await serverOptions()) as AwsLcTlsOptions);
  const apps = [Fastify({ serverFactory }), Fastify({ serverFactory })];
  for (const [i, app] of apps.entries()) {
    t.teardown(() => app.close());
    app.get('/', async () => `app ${i}`);
  }
  for (const [i, app] of apps.entries()) {
    t.equal((await h1(await listen(app))).body, `app ${i}`);
    t.equal(app.tls.stats().handshakes, 1);
  }
});

t.test('a server factory of somebody else works with the plugin', async (t) => {
  const { createServer } = await import('node:http');
  const app = Fastify({ serverFactory: (handler) => createServer(handler) });
  t.teardown(() => app.close());
  await app.register(awsLcTls, (await serverOptions()) as AwsLcTlsOptions);
  app.get('/', async ({ protocol }) => protocol);
  t.equal((await h1(await listen(app))).body, 'https');
});

t.test('a plugin registered inside another plugin serves the whole application', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  const options = (await serverOptions()) as AwsLcTlsOptions;
  await app.register(async (child) => {
    await child.register(awsLcTls, options);
    child.get('/child', async ({ tls }) => tls?.negotiated.protocol);
  });
  app.get('/', async ({ protocol, tls }) => [protocol, tls?.negotiated.protocol]);
  const port = await listen(app);
  t.same(JSON.parse((await h1(port)).body), ['https', 'TLSv1.3']);
  t.equal(app.tls.stats().handshakes, 1);
  t.equal((await h1(port, '/child')).body, 'TLSv1.3');
});
