/** Types as users of the plugin meet them, those who type their application for http2 among them. */
import type { X509Certificate } from 'node:crypto';
import type { Http2SecureServer } from 'node:http2';
import type { Server } from 'node:https';
import { createSecureServer, type TlsStats } from '@node-aws-lc/core';
import {
  authorizeClient,
  awsLcServerFactory,
  awsLcTls,
  type AppTls,
  type RequestTls,
} from '@node-aws-lc/fastify-plugin';
import express from 'express';
import Fastify, {
  type FastifyHttp2SecureOptions,
  type FastifyHttpsOptions,
  type FastifyInstance,
} from 'fastify';
import { expect, test } from 'tstyche';

const options = { key: 'key', cert: 'cert' };

test('app.tls and request.tls are there', () => {
  const app = Fastify();
  void app.register(awsLcTls, options);
  expect(app.tls).type.toBe<AppTls>();
  expect(app.tls.stats()).type.toBe<TlsStats>();
  app.get('/', (request) => {
    expect(request.tls).type.toBe<RequestTls | null>();
    expect(request.tls?.peerCertificate()).type.toBe<X509Certificate | undefined>();
  });
});

test('applications typed for http2 and https have them too', () => {
  const http2 = Fastify({ http2: true, https: {} } as FastifyHttp2SecureOptions<Http2SecureServer>);
  expect(http2.tls).type.toBe<AppTls>();
  http2.get('/', (request) => {
    expect(request.tls).type.toBe<RequestTls | null>();
    expect(request.raw.httpVersionMajor).type.toBe<number>();
  });
  const https = Fastify({ https: {} } as FastifyHttpsOptions<Server>);
  expect(https.tls).type.toBe<AppTls>();
});

test('plugin and hook are taken by applications typed for http2', () => {
  const app = Fastify({ http2: true, https: {} } as FastifyHttp2SecureOptions<Http2SecureServer>);
  expect(app.register).type.toBeCallableWith(awsLcTls, options);
  app.get('/', { onRequest: authorizeClient((_certificate, { ip }) => ip === '::1') }, () => 'ok');
});

test('the plugin and the factory are taken where Fastify takes them', () => {
  const app: FastifyInstance = Fastify({ serverFactory: awsLcServerFactory(options) });
  expect(app.register).type.toBeCallableWith(awsLcTls, options);
  expect(app.register).type.toBeCallableWith(awsLcTls, {
    ...options,
    alpnProtocols: ['h2' as const],
    redirectHttp: { port: 80 },
  });
  app.get('/', { onRequest: authorizeClient(({ subject }) => subject === 'CN=a') }, () => 'ok');
});

test('options that make no sense are refused by the compiler', () => {
  expect(awsLcServerFactory).type.not.toBeCallableWith({ ...options, alpnProtocols: ['h3'] });
  expect(awsLcServerFactory).type.not.toBeCallableWith({ ...options, redirectHttp: {} });
});

test('createSecureServer() takes an Express application', () => {
  expect(createSecureServer).type.toBeCallableWith(options, express());
});
