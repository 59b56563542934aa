/** A whole connection within one process, as the Rust crate's own first test has it. */
import t from 'tap';
import { connected, sent } from '../helpers/handshake.js';
import { nextEvent, within } from '../helpers/wait.js';
import { tapped } from '../helpers/wire.js';

for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
  const maxVersion = version;

  t.test(`round trip in process, ${version}: the server speaks first`, async (t) => {
    const ALPNProtocols = ['h2', 'http/1.1'];
    const { client, server } = await connected(t, {
      server: { ALPNProtocols },
      client: { ALPNProtocols, maxVersion },
    });
    t.equal(await sent(server, client, 'ping from server'), 'ping from server');
    t.equal(await sent(client, server, 'pong from client'), 'pong from client');

    t.match(server.negotiated, { protocol: version, alpn: 'h2', serverName: 'localhost' });
    t.match(client.negotiated, {
      protocol: version,
      alpn: 'h2',
      cipher: server.negotiated.cipher,
      group: server.negotiated.group,
    });

    const plain = server.exportKeyingMaterial(32, 'EXPORTER-test');
    const bound = server.exportKeyingMaterial(32, 'EXPORTER-test', Buffer.from('context'));
    t.notSame(plain, bound);
    t.same(client.exportKeyingMaterial(32, 'EXPORTER-test'), plain);
    t.same(client.exportKeyingMaterial(32, 'EXPORTER-test', Buffer.from('context')), bound);

    t.ok(client.getPeerX509Certificate(), 'the client knows who the server is');
    t.equal(server.getPeerX509Certificate(), undefined, 'and was not asked who it is itself');

    const closed = Promise.all([client, server].map((end) => nextEvent(end.resume(), 'close')));
    server.end();
    await closed;
    t.ok(client.closeNotifyReceived && server.closeNotifyReceived, 'announced both ways');
  });

  t.test(`an end when the peer has dropped the socket, ${version}`, async (t) => {
    for (const drop of ['destroy', 'resetAndDestroy'] as const) {
      const wire = await tapped(t);
      const { client, server } = await connected(t, { client: { maxVersion }, transport: wire });
      t.equal(await sent(server, client, 'last message'), 'last message');
      const errors: Error[] = [];
      server.on('error', (error) => errors.push(error));
      const closed = nextEvent(server, 'close');
      wire.relay.server[drop]();
      await nextEvent(wire.relay.server, 'close');
      const ended = new Promise<void>((done) => server.end(() => done()));
      await within('the end to be done with', ended);
      server.resume();
      await closed;
      t.equal(server.closeNotifyReceived, false);
      t.ok(errors.length <= 1, `${drop}: ${errors.map(String).join()}`);
      for (const error of errors) t.match(error, { code: /^(ECONNRESET|EPIPE)$/ }, drop);
    }
  });
}
