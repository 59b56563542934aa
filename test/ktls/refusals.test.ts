/**
 * What a peer learns that has sent something that the kernel cannot open: the alert that says so, on
 * the wire, and not only in our error.
 */
import { type KtlsOption, ServerConfig, TlsAcceptor } from '@node-aws-lc/core';
import { randomBytes } from 'node:crypto';
import t from 'tap';
import tls, { type SecureVersion } from 'node:tls';
import { serverOptions } from '../helpers/handshake.js';
import * as pki from '../helpers/pki.js';
import { nextError, nextEvent } from '../helpers/wait.js';
import { recordTypes } from '../helpers/wire.js';
import { relayed } from './relay.js';

const modes: Record<string, KtlsOption> = {
  userspace: 'off',
  'the kernel sending and receiving': 'require',
  'the kernel receiving, userspace sending': { tx: 'off', rx: 'require' },
  'the kernel sending, userspace receiving': { tx: 'require', rx: 'off' },
};

const bad = {
  'a record that nobody can open': {
    record: Buffer.concat([Buffer.of(recordTypes.applicationData, 3, 3, 0, 64), randomBytes(64)]),
    alert: { direction: 'sent', name: 'bad_record_mac' },
    received: /ALERT_BAD_RECORD_MAC/,
  },
  'a record that is too long': {
    record: Buffer.concat([Buffer.of(recordTypes.applicationData, 3, 3, 0x50, 0), randomBytes(64)]),
    alert: { direction: 'sent', name: 'record_overflow' },
    received: /ALERT_RECORD_OVERFLOW/,
  },
};

for (const version of ['TLSv1.2', 'TLSv1.3'] as SecureVersion[]) {
  for (const [mode, ktls] of Object.entries(modes)) {
    for (const [name, { record, alert, received }] of Object.entries(bad)) {
      t.test(`the sender of ${name} is told so: ${version}, ${mode}`, async (t) => {
        const { client: near, server: far, up } = await relayed(t);
        const acceptor = new TlsAcceptor(new ServerConfig(await serverOptions({ ktls })));
        const accepted = acceptor.accept(far);
        const client = tls.connect({
          socket: near,
          servername: 'localhost',
          ca: (await pki.root()).cert,
          maxVersion: version,
        });
        t.teardown(() => client.destroy());
        await nextEvent(client, 'secureConnect');
        const server = await accepted;
        t.teardown(() => server.destroy());
        const heard = nextError(client.resume());
        const said = nextError(server.resume());
        up.inject(record);
        t.match(await said, { side: 'server', alert });
        t.match((await heard).code, received);
      });
    }
  }
}
