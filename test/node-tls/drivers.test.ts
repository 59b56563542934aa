/**
 * Strangers' code over `@node-aws-lc/core/register`: drivers that call `tls.connect` in their own ways, against the
 * servers that they are made for.
 */
import '@node-aws-lc/core/register';
import { TLSSocket } from '@node-aws-lc/core';
import Redis from 'ioredis';
import mysql from 'mysql2/promise';
import { once } from 'node:events';
import type net from 'node:net';
import path from 'node:path';
import nodemailer from 'nodemailer';
import pg from 'pg';
import { SMTPServer } from 'smtp-server';
import t from 'tap';
import { mariadb, noMariadb } from '../helpers/mariadb.js';
import * as pki from '../helpers/pki.js';
import { noPostgres, postgres } from '../helpers/postgres.js';
import { freePort, noRedis, Redis as RedisServer } from '../helpers/redis.js';
import { rejection } from '../helpers/wait.js';

t.test('pg talks to PostgreSQL with ssl', { skip: noPostgres }, async (t) => {
  const port = await postgres(t);
  const ca = (await pki.root()).cert;
  const settings = { host: '127.0.0.1', port, user: 'tester', database: 'postgres' };
  const client = new pg.Client({ ...settings, ssl: { ca } });
  await client.connect();
  const { rows } = await client.query<{ version: string; sum: string }>(
    `select version, (select sum(length(repeat('x', 1000) || n)) from generate_series(1, 5000) n) as sum
       from pg_stat_ssl where pid = pg_backend_pid()`,
  );
  t.equal(rows[0]?.version, 'TLSv1.3', 'PostgreSQL itself says that it is encrypted');
  t.equal(rows[0]?.sum, '5018893');
  const { stream } = (client as unknown as { connection: { stream: unknown } }).connection;
  t.ok(stream instanceof TLSSocket, 'by us');
  await client.end();

  const stranger = new pg.Client({ ...settings, ssl: {} });
  const error = await rejection(stranger.connect());
  t.equal(error.code, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'and a stranger is refused');
});

t.test('mysql2 talks to MariaDB with ssl', { skip: noMariadb }, async (t) => {
  const port = await mariadb(t);
  const ca = (await pki.root()).cert;
  const settings = { host: '127.0.0.1', port, user: 'tester' };
  const connection = await mysql.createConnection({ ...settings, ssl: { ca } });
  const [[status]] = await connection.query<mysql.RowDataPacket[]>(
    "show status like 'Ssl_version'",
  );
  t.equal(status?.['Value'], 'TLSv1.3', 'MariaDB itself says that it is encrypted');
  const [[row]] = await connection.query<mysql.RowDataPacket[]>(
    "select repeat('x', 300000) as sum",
  );
  t.equal(row?.['sum'], 'x'.repeat(300_000));
  const { stream } = (connection as unknown as { connection: { stream: unknown } }).connection;
  t.ok(stream instanceof TLSSocket, 'by us');
  await connection.end();

  const error = await rejection(mysql.createConnection({ ...settings, ssl: {} }));
  t.match(error.message, 'unable to get local issuer certificate', 'and a stranger is refused');
});

t.test('ioredis talks to Redis with tls', { skip: noRedis }, async (t) => {
  const { key, chain } = await pki.server();
  const folder = t.testdir({ 'key.pem': key, 'cert.pem': chain });
  const port = await freePort();
  await RedisServer.start(t, [
    ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', path.join(folder, 'cert.pem')],
    ...['--tls-key-file', path.join(folder, 'key.pem')],
  ]);
  const ca = (await pki.root()).cert;
  const redis = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: 1, tls: { ca } });
  t.teardown(() => redis.disconnect());
  const value = 'v'.repeat(200_000);
  t.equal(await redis.set('key', value), 'OK');
  t.equal(await redis.get('key'), value);
  t.ok((redis as unknown as { stream: unknown }).stream instanceof TLSSocket);
});

t.test('nodemailer sends through a server that is upgraded by STARTTLS', async (t) => {
  const { key, chain } = await pki.server();
  const ca = (await pki.root()).cert;
  let received = '';
  let secured: unknown;
  const server = new SMTPServer({
    key,
    cert: chain,
    authOptional: true,
    onData(stream, session, callback) {
      secured = session.tlsOptions;
      stream.on('data', (chunk: Buffer) => (received += chunk.toString()));
      stream.on('end', () => callback());
    },
  });
  server.on('error', () => {});
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = listening.address() as net.AddressInfo;
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    requireTLS: true,
    tls: { ca, servername: 'localhost' },
  });
  await transport.sendMail({ from: 'a@example.test', to: 'b@example.test', text: 'over TLS' });
  transport.close();
  t.match(received, /over TLS/);
  t.match(secured, { version: 'TLSv1.3' });
});
