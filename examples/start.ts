/**
 * What `npm start` runs: an HTTPS service on AWS-LC, called by a client on AWS-LC over h2 and over
 * HTTP/1.1, and then open to other clients until SIGINT or SIGTERM.
 */
import type { AddressInfo } from 'node:net';
import { relative } from 'node:path';
import { awsLc, type TlsStream } from '@node-aws-lc/core';
import { awsLcTls } from '@node-aws-lc/fastify-plugin';
import { createConnector } from '@node-aws-lc/undici-connector';
import Fastify, { type FastifyInstance } from 'fastify';
import { Agent, request } from 'undici';
import { type DevelopmentCertificate, developmentCertificate } from './development-certificate';

/** What the service answers: how the request arrived. */
interface Answer {
  http: string;
  tls: TlsStream['negotiated'];
  ktls: TlsStream['ktls'];
}

const port = Number(process.env['PORT'] || 8443);

async function main(): Promise<void> {
  say(`AWS-LC ${awsLc.version}, Node ${process.version}`);
  const certificate = await developmentCertificate();
  const { files, reused, validTo } = certificate;
  say(
    `development certificate for localhost ${reused ? 'reused' : 'made'}: ` +
      `${shown(files.cert)}, valid until ${validTo.toISOString().slice(0, 10)}`,
  );

  const app = await startService(certificate);
  const addresses = app.addresses() as AddressInfo[];
  const origin = `https://localhost:${addresses[0]?.port}`;
  say(`serving ${origin}/ on ${addresses.map(({ address }) => address).join(' and ')}`);
  for (const allowH2 of [true, false]) describe(await call(origin, certificate.ca, allowH2));

  say('try it:');
  say(`  curl --cacert ${shown(files.ca)} ${origin}/`);
  say('serving until Ctrl-C');
}

async function startService({ key, cert }: DevelopmentCertificate): Promise<FastifyInstance> {
  const app = Fastify();
  await app.register(awsLcTls, { key, cert });
  app.get('/', (request): Answer | undefined =>
    request.tls
      ? { http: request.raw.httpVersion, tls: request.tls.negotiated, ktls: request.tls.ktls }
      : undefined,
  );
  await app.listen({ port, host: 'localhost' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Once: a second signal, while requests are still being answered, ends the process at once.
    process.once(signal, () => {
      say(`${signal}: closing`);
      void app.close().then(() => say('closed'));
    });
  }
  return app;
}

async function call(origin: string, ca: string, allowH2: boolean): Promise<Answer> {
  const agent = new Agent({ allowH2, connect: createConnector({ ca }) });
  try {
    const { statusCode, body } = await request(`${origin}/`, { dispatcher: agent });
    if (statusCode !== 200) throw new Error(`the service answered ${statusCode}`);
    return (await body.json()) as Answer;
  } finally {
    await agent.close();
  }
}

function describe({ http, tls, ktls }: Answer): void {
  const { protocol, cipher, group, alpn } = tls;
  say(`called with undici over HTTP/${http}: ${protocol}, ${cipher}, ${group}, ALPN ${alpn}`);
  const why = ktls.reason === undefined ? '' : ` (${ktls.reason})`;
  say(`  kTLS: sending ${onOff(ktls.tx)}, receiving ${onOff(ktls.rx)}${why}`);
}

function onOff(on: boolean): string {
  return on ? 'on' : 'off';
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}

function say(line: string): void {
  console.log(`[start] ${line}`);
}

main().catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE') {
    say(`port ${port} is in use; choose another: PORT=9443 npm start`);
  } else {
    console.error(error);
  }
  process.exit(1);
});
