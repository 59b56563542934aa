/**
 * Every kind of handshake between this library and the others, in both roles. docs/interop.md has the table of what came
 * of it.
 */
import path from 'node:path';
import net from 'node:net';
import t, { type Test } from 'tap';
import { type Identity, issue, type KeyKind } from '../helpers/certificate.js';
import * as pki from '../helpers/pki.js';
import { listener } from '../helpers/transports.js';
import { within } from '../helpers/wait.js';
import {
  type Cell,
  type CredentialFiles,
  type Credentials,
  handshakes,
  impossible,
  type Kind,
  kinds,
  type Peer,
  versions,
} from './matrix/cell.js';
import { gnutls } from './matrix/gnutls.js';
import { nodeTls, ours } from './matrix/library.js';
import { openssl } from './matrix/openssl.js';
import { documented, type Rows, write } from './matrix/table.js';

t.setTimeout(240_000);

const others = [nodeTls, openssl, gnutls];
const pairs: [Peer, Peer][] = [
  [ours, ours],
  ...others.map((other): [Peer, Peer] => [ours, other]),
  ...others.map((other): [Peer, Peer] => [other, ours]),
];

const keyKinds: Record<Kind, KeyKind> = { RSA: 'rsa', ECDSA: 'p256', Ed25519: 'ed25519' };

async function credentials(t: Test, kind: Kind): Promise<Credentials> {
  const own = { RSA: pki.serverRsa, ECDSA: pki.server, Ed25519: pki.serverEd25519 };
  const server = await own[kind]();
  const clients = await issue({
    subject: 'Clients',
    ca: true,
    issuer: await pki.clientRoot(),
    kind: keyKinds[kind],
  });
  const client = await issue({
    subject: 'Client',
    kind: keyKinds[kind],
    issuer: clients,
    purposes: ['clientAuth'],
  });
  const folder = t.testdir({
    server: files(server, (await pki.clientRoot()).cert),
    client: files(client, (await pki.root()).cert),
  });
  const at = (end: string): CredentialFiles => {
    const file = (name: string) => path.join(folder, end, name);
    return {
      key: file('key'),
      chain: file('chain'),
      leaf: file('leaf'),
      intermediate: file('intermediate'),
      trust: file('trust'),
    };
  };
  return { server, serverFiles: at('server'), client, clientFiles: at('client') };
}

function files(identity: Identity, trust: string) {
  const { key, cert: leaf, chain, issuer } = identity;
  return { key, leaf, chain, intermediate: issuer!.cert, trust };
}

/** What a ServerHello says at random when it is a HelloRetryRequest (RFC 8446, section 4.1.3). */
const retry = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
);

/** Runs one handshake and answers what went wrong, if anything. */
async function run(t: Test, client: Peer, server: Peer, cell: Cell, own: Credentials) {
  const { port, answer } = await server.serve(t, cell, own);
  let bytes = Buffer.alloc(0);
  const wire = await listener(t, (near) => {
    const far = net.connect(port, '127.0.0.1');
    far.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  const line = 'a line of text';
  const target = { port: wire.port, line, answer: answer(line) };
  const seen = await within('the connection', client.call(t, cell, own, target));
  return { ...seen, retried: bytes.includes(retry) };
}

/** Found by this run; a row whose peer is not here stays as it is documented. */
const rows: Rows = new Map();

for (const [client, server] of pairs) {
  const skip = client.missing || server.missing;
  t.test(`${client.name} calls ${server.name}`, { skip }, async (t) => {
    for (const kind of kinds) {
      t.test(kind, async (t) => {
        const own = await credentials(t, kind);
        for (const version of versions) {
          const cells: string[] = [];
          for (const handshake of handshakes) {
            const cell = { version, kind, handshake };
            const why = impossible(cell);
            if (why !== undefined) {
              cells.push(`– (${why})`);
              continue;
            }
            let failure: string | undefined;
            await t.test(`${version}, ${handshake}`, async (t) => {
              const seen = await run(t, client, server, cell, own).catch((error: Error) => {
                failure = error.message;
                throw error;
              });
              const good = t.match(seen, {
                version,
                resumed: handshake === 'resumed',
                retried: handshake === 'HelloRetryRequest',
              });
              if (!good) failure = 'something else';
            });
            cells.push(failure === undefined ? 'yes' : 'no');
          }
          rows.set([client.name, server.name, version, kind].join(' | '), cells);
        }
      });
    }
  });
}

t.test('the table in the documentation', (t) => {
  if (process.env['UPDATE_DOCS'] === '1') {
    write(rows);
  } else {
    const committed = documented();
    for (const [key, cells] of rows) t.same(committed.get(key), cells, `${key} (UPDATE_DOCS=1)`);
    if (!others.some(({ missing }) => missing)) t.equal(committed.size, rows.size, 'and no other');
  }
  t.end();
});
