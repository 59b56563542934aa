/** Applications under test, in each of the two forms in which they can be made. */
import { awsLcServerFactory, awsLcTls, type AwsLcTlsOptions } from '@node-aws-lc/fastify-plugin';
import Fastify, { type FastifyHttpOptions, type FastifyInstance } from 'fastify';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { serverOptions } from '../helpers/handshake.js';

/** How TLS gets into the application. */
export const forms = ['plugin', 'serverFactory'] as const;

/** One of {@link forms}. */
export type Form = (typeof forms)[number];

/** What an application is made of. */
export interface AppOptions {
  form?: Form;
  tls?: Partial<AwsLcTlsOptions>;
  fastify?: FastifyHttpOptions<Server>;
}

/** Makes an application with TLS; it is closed when the test ends. */
export async function makeApp(t: Test, options: AppOptions = {}): Promise<FastifyInstance> {
  const { form = 'plugin', fastify } = options;
  const tls = (await serverOptions(options.tls)) as AwsLcTlsOptions;
  const app =
    form === 'plugin'
      ? Fastify(fastify)
      : Fastify({ ...fastify, serverFactory: awsLcServerFactory(tls) });
  t.teardown(() => app.close());
  if (form === 'plugin') await app.register(awsLcTls, tls);
  return app;
}

/** Listens on a free port of the loopback address and resolves with the port. */
export async function listen(app: FastifyInstance, host = '127.0.0.1'): Promise<number> {
  await app.listen({ host, port: 0 });
  return (app.server.address() as AddressInfo).port;
}

/** Runs a test once for each form. */
export function eachForm(
  t: Test,
  name: string,
  body: (t: Test, form: Form) => Promise<void>,
): void {
  for (const form of forms) t.test(`${name} (${form})`, (t) => body(t, form));
}

/** A promise with its resolver: a gate that a request handler waits at. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
