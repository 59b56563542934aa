/**
 * Bad certificates: both ends must judge them as node:tls judges them on the same Node, or more
 * strictly for a reason that is written down. `docs/verification.md` has the table.
 */
import { ClientConfig, ServerConfig, TlsAcceptor, TlsConnector } from '@node-aws-lc/core';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { ExtendedKeyUsage } from '../../helpers/forge.js';
import { nextEvent, within } from '../../helpers/wait.js';
import { cases, type Presented } from './cases.js';

/** What a certificate comes to: a code, or that it is good. */
const GOOD = 'authorized';

interface Judged {
  theirs: string;
  ours: string;
}

const openssl = { ciphers: 'DEFAULT@SECLEVEL=0' };

function credentials({ identity, chain }: Presented) {
  return { key: identity.key, cert: chain ?? identity.chain };
}

async function listening(t: Test, server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await nextEvent(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** A client's judgement on a server's certificate, which node:tls presents to both. */
async function judgeServer(t: Test, presented: Presented): Promise<Judged> {
  const { ca, crl, host = 'localhost' } = presented;
  const server = tls.createServer({ ...credentials(presented), ...openssl }, (socket) => {
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  const port = await listening(t, server);
  const options = { ca, ...(crl === undefined ? {} : { crl }) };
  const theirs = await new Promise<string>((resolve) => {
    const where = { port, host: '127.0.0.1', ...(net.isIP(host) ? {} : { servername: host }) };
    const socket = tls.connect({
      ...where,
      ...options,
      checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(host, certificate),
    });
    socket.on('secureConnect', () => resolve(GOOD));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    t.teardown(() => socket.destroy());
  });
  const connector = new TlsConnector(new ClientConfig(options));
  const ours = await connector.connect(host, net.connect(port, '127.0.0.1')).then(
    (stream) => {
      stream.on('error', () => {}).destroy();
      return stream.authorized ? GOOD : 'not authorized';
    },
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  return { theirs, ours };
}

/** A server's judgement on a client's certificate. */
async function judgeClient(t: Test, presented: Presented, own: Presented): Promise<Judged> {
  const { ca, crl } = presented;
  const options = { ca, ...(crl === undefined ? {} : { crl }), ...credentials(own) };
  const call = (port: number): void => {
    const target = { port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket = tls.connect({ ...target, ...credentials(presented), ...openssl });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
  };
  const theirs = await new Promise<string>((resolve, reject) => {
    const server = tls.createServer({ ...options, requestCert: true, rejectUnauthorized: false });
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {}).destroy();
      resolve(socket.authorized ? GOOD : String(socket.authorizationError));
    });
    listening(t, server).then(call, reject);
  });
  const acceptor = new TlsAcceptor(new ServerConfig({ ...options, clientAuth: 'required' }));
  const ours = await new Promise<string>((resolve, reject) => {
    const server = net.createServer((socket) => {
      acceptor.accept(socket).then(
        (stream) => {
          stream.on('error', () => {}).destroy();
          resolve(stream.authorized ? GOOD : 'not authorized');
        },
        (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message),
      );
    });
    listening(t, server).then(call, reject);
  });
  return { theirs, ours };
}

const rows: string[] = [];

function compare(t: Test, what: string, { theirs, ours }: Judged, stricter?: string): void {
  if (stricter === undefined || ours === theirs) {
    t.equal(ours, theirs, what);
  } else {
    t.not(ours, GOOD, `${what}: ${stricter}`);
  }
}

const { serverAuth, clientAuth } = ExtendedKeyUsage;

t.test('bad certificates', async (t) => {
  const own = await cases['a good certificate']!.make(serverAuth);
  for (const [what, { make, nameOnly, stricter }] of Object.entries(cases)) {
    t.test(what, async (t) => {
      const server = await within('both', judgeServer(t, await make(serverAuth)));
      compare(t, 'as a server', server, stricter);
      let client: Judged | undefined;
      if (!nameOnly) {
        client = await within('both', judgeClient(t, await make(clientAuth), own));
        compare(t, 'as a client', client, stricter);
      }
      rows.push(`| ${what} | ${server.ours} | ${client?.ours ?? '–'} | ${stricter ?? ''} |`);
    });
  }
});

t.test('the table in the documentation', (t) => {
  const file = path.join(__dirname, '..', '..', '..', '..', 'docs', 'verification.md');
  const head =
    '| certificate | of a server | of a client | other than `node:tls`, because |\n| --- | --- | --- | --- |\n';
  const table = `<!-- table -->\n\n${head}${rows.join('\n')}\n\n<!-- end -->`;
  const text = readFileSync(file, 'utf8');
  const wanted = text.replace(/<!-- table -->[^]*<!-- end -->/, table);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, wanted);
  else t.equal(squeeze(text), squeeze(wanted), 'is that of this run (UPDATE_DOCS=1 writes it)');
  t.end();
});

/** Without what a formatter does to a table. */
function squeeze(text: string): string {
  return text.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-');
}
