/**
 * A site of files over kernel TLS, beside the same site on Fastify's own https: nobody can tell one
 * from the other, but in one of them the kernel sends the files.
 */
import t from 'tap';
import { makeApp } from '../fastify-plugin/app.js';
import { makeFiles, requests, see, type Request } from '../fastify-plugin/static-site.js';
import { eventually, rejection } from '../helpers/wait.js';
import { countingFiles, fastifysSite, ourSite } from './static-sites.js';
import { noneLeft } from './statistics.js';

t.setTimeout(170_000);

/** Those of which the body is read and written as ever. */
const notSent = [
  ...['/f0.html', '/none', '/../etc/passwd', '/stream/none', '/stream/f0.html', '/stream/.'],
  ...['/behind', '/handle', '/descriptor', '/encoded', '/peeked', '/tapped', '/foreign'],
  ...['/through', '/replaced', '/wrapped', '/status/204', '/status/304'],
];

t.test('every response is the same', async (t) => {
  const { root, names } = makeFiles(t, 200);
  const [ours, theirs] = [await ourSite(t, root), await fastifysSite(t, root)];
  const sent = countingFiles(t);
  for (const request of requests(names)) {
    const { path, method = 'GET', headers = {} } = request;
    const name = `${method} ${path} ${Object.entries(headers).join()}`;
    const [our, their] = [
      await see(ours.port, ours.agent, request),
      await see(theirs.port, theirs.agent, request),
    ];
    t.same(our, their, name);
    const plain = our.length > 0 && /^HTTP\/1.1 20[06]/.test(our.status);
    const files = sent();
    if (plain && !notSent.includes(path) && !path.startsWith('/zip/')) {
      t.ok(files > 0, 'the kernel has sent it');
    } else if (!path.startsWith('/zip/')) {
      t.equal(files, 0, 'nothing for the kernel to send');
    }
  }
  await eventually('all hooks', () => ours.diary.length === theirs.diary.length);
  t.same(ours.diary, theirs.diary, 'and so are hooks and logs');
  t.equal(ours.connections, theirs.connections, 'and connections are kept as long');
});

t.test('an entity tag is honoured', async (t) => {
  const { root } = makeFiles(t);
  const site = await ourSite(t, root);
  const first = await see(site.port, site.agent, { path: '/large' });
  const etag = first.headers.find((header) => header.startsWith('etag:'))!.slice(6);
  const again: Request = { path: '/large', headers: { 'if-none-match': etag } };
  t.match(await see(site.port, site.agent, again), { status: 'HTTP/1.1 304 Not Modified' });
});

t.test('it can be switched off', async (t) => {
  const { root } = makeFiles(t);
  const sent = countingFiles(t);
  const site = await ourSite(t, root, { sendfile: false });
  t.match(await see(site.port, site.agent, { path: '/large' }), { length: 3_000_000 });
  t.equal(sent(), 0);
});

t.test('the switch is true or false', async (t) => {
  const refused = rejection(makeApp(t, { tls: { sendfile: 'no' as never } }));
  t.match(await refused, { code: 'ERR_AWS_LC_CONFIG_TYPE', option: 'sendfile' });
});

t.test('where the kernel does not seal, nothing changes', async (t) => {
  const { root } = makeFiles(t);
  const sent = countingFiles(t);
  const site = await ourSite(t, root, { ktls: { tx: 'off', rx: 'require' } });
  t.match(await see(site.port, site.agent, { path: '/large' }), { length: 3_000_000 });
  t.equal(sent(), 0);
});

t.test('nothing stays in the kernel', noneLeft);
