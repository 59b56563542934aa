/**
 * Which roots a client trusts when it is given none. The environment is read once a process, so
 * each case is a process of its own.
 */
import { ClientConfig } from '@node-aws-lc/core';
import path from 'node:path';
import t, { type Test } from 'tap';
import tls from 'node:tls';
import { run, runNode } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';
import { tlsServer } from '../helpers/server.js';
import { missing } from '../helpers/tools.js';

const program = path.join(__dirname, 'programs', 'connect.js');
const refused = /^UNABLE_TO_/;

interface Files {
  root: string;
  other: string;
  folder: string;
}

/** What a process says that connects to a server under the private root. */
async function outcome(
  t: Test,
  environment: (files: Files) => Record<string, string>,
  ca?: (files: Files) => string,
): Promise<string> {
  const { port } = await tlsServer(t);
  const folder = t.testdir({
    'root.pem': (await pki.root()).cert,
    'other.pem': (await pki.otherRoot()).cert,
    hashed: { 'root.pem': (await pki.root()).cert, 'README.txt': 'not a certificate' },
  });
  const files = {
    root: path.join(folder, 'root.pem'),
    other: path.join(folder, 'other.pem'),
    folder: path.join(folder, 'hashed'),
  };
  const unset = {
    SSL_CERT_FILE: undefined,
    SSL_CERT_DIR: undefined,
    NODE_EXTRA_CA_CERTS: undefined,
  };
  const args = [String(port), 'localhost', ...(ca ? [ca(files)] : [])];
  const { stdout, stderr } = await runNode(t, program, args, {
    env: { ...unset, ...environment(files) },
  });
  return stdout.trim() || stderr;
}

t.test('a private root is not among the default roots', async (t) => {
  t.match(await outcome(t, () => ({})), refused);
});

t.test('SSL_CERT_FILE names the roots', async (t) => {
  t.equal(await outcome(t, ({ root }) => ({ SSL_CERT_FILE: root })), 'connected');
  t.match(await outcome(t, ({ other }) => ({ SSL_CERT_FILE: other })), refused);
});

t.test('SSL_CERT_DIR names a folder of roots', async (t) => {
  t.equal(await outcome(t, ({ folder }) => ({ SSL_CERT_DIR: folder })), 'connected');
  const several = ({ folder }: Files) => ({ SSL_CERT_DIR: `/nonexistent:${folder}` });
  t.equal(await outcome(t, several), 'connected');
});

t.test(
  'SSL_CERT_DIR as openssl rehash leaves it',
  { skip: missing('openssl', 'openssl') },
  async (t) => {
    const folder = t.testdir({ 'root.pem': (await pki.root()).cert });
    t.equal((await run(t, 'openssl', ['rehash', folder])).code, 0);
    t.equal(await outcome(t, () => ({ SSL_CERT_DIR: folder })), 'connected');
  },
);

t.test('a bundle that cannot be read trusts nobody and breaks nothing', async (t) => {
  t.match(await outcome(t, () => ({ SSL_CERT_FILE: '/nonexistent.pem' })), refused);
  t.match(await outcome(t, () => ({ SSL_CERT_DIR: '/nonexistent' })), refused);
});

t.test('NODE_EXTRA_CA_CERTS comes on top of the default roots', async (t) => {
  t.equal(await outcome(t, ({ root }) => ({ NODE_EXTRA_CA_CERTS: root })), 'connected');
  const both = ({ root, other }: Files) => ({ NODE_EXTRA_CA_CERTS: root, SSL_CERT_FILE: other });
  t.equal(await outcome(t, both), 'connected');
});

t.test('`ca` replaces all of them', async (t) => {
  const everywhere = ({ root }: Files) => ({ NODE_EXTRA_CA_CERTS: root, SSL_CERT_FILE: root });
  t.match(await outcome(t, everywhere, ({ other }) => other), refused);
  t.equal(
    await outcome(
      t,
      () => ({}),
      ({ root }) => root,
    ),
    'connected',
  );
});

t.test('the default roots are there and usable', (t) => {
  t.doesNotThrow(() => new ClientConfig());
  t.ok(tls.rootCertificates.length > 0);
  t.doesNotThrow(() => new ClientConfig({ ca: [...tls.rootCertificates] }), 'each of Node’s roots');
  t.end();
});
