/** The site of ../fastify-plugin/static-site.ts on kernel TLS, and on Fastify's own https. */
import { TlsStream } from '@node-aws-lc/core';
import type { AwsLcTlsOptions } from '@node-aws-lc/fastify-plugin';
import Fastify, { type FastifyInstance } from 'fastify';
import https from 'node:https';
import type { Test } from 'tap';
import { listen, makeApp } from '../fastify-plugin/app.js';
import { logInto, serveFiles, type Diary } from '../fastify-plugin/static-site.js';
import * as pki from '../helpers/pki.js';

/** A site that listens, and how to ask it. */
export interface Site {
  app: FastifyInstance;
  port: number;
  /** What happened there. */
  diary: Diary;
  /** One connection at a time. */
  agent: https.Agent;
  /** So many have been made. */
  connections: number;
}

/** On the plugin, over kernel TLS unless `tls` says otherwise. */
export async function ourSite(
  t: Test,
  root: string,
  tls: Partial<AwsLcTlsOptions> = {},
): Promise<Site> {
  const diary: Diary = [];
  const options = {
    tls: { ktls: 'require', ...tls },
    fastify: { logger: logInto(diary) },
  } as const;
  return served(t, await makeApp(t, options), root, diary);
}

/** On Fastify's own https. */
export async function fastifysSite(t: Test, root: string): Promise<Site> {
  const diary: Diary = [];
  const { key, chain: cert } = await pki.server();
  const app = Fastify({ logger: logInto(diary), https: { key, cert } });
  t.teardown(() => app.close());
  return served(t, app, root, diary);
}

async function served(t: Test, app: FastifyInstance, root: string, diary: Diary): Promise<Site> {
  await serveFiles(app, root, diary);
  const port = await listen(app);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const site = { app, port, diary, agent, connections: 0 };
  app.server.on('secureConnection', () => site.connections++);
  return site;
}

/** Counts the files that streams are asked to send, as long as the test runs. */
export function countingFiles(t: Test): () => number {
  let files = 0;
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const { sendFile } = TlsStream.prototype;
  TlsStream.prototype.sendFile = function (this: TlsStream, ...args) {
    files++;
    return sendFile.apply(this, args);
  };
  t.teardown(() => void (TlsStream.prototype.sendFile = sendFile));
  return () => {
    const counted = files;
    files = 0;
    return counted;
  };
}
