/**
 * Restarts under load, and no request fails. More of the same by hand:
 * `WORKERS=4 RESTARTS=20 node test/dist/http/rolling-restart.test.js`
 */
import t from 'tap';
import http2 from 'node:http2';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { Child } from '../helpers/children.js';
import * as pki from '../helpers/pki.js';

const { WORKERS: workers = '2', RESTARTS: restarts = '1' } = process.env;
const limit = 40_000 + Number(workers) * Number(restarts) * 10_000;

interface Load {
  answered: number;
  failures: string[];
}

/** Keep-alive connections, one request after another. */
async function askOverH1(port: number, load: Load, over: () => boolean): Promise<void> {
  const ca = (await pki.root()).cert;
  const dispatcher = new Agent({ connect: { ca, servername: 'localhost' }, allowH2: false });
  const ask = async (i: number): Promise<void> => {
    const post = i % 3 === 0;
    const { statusCode, body } = await request(`https://127.0.0.1:${port}/`, {
      dispatcher,
      method: post ? 'POST' : 'GET',
      ...(post && { body: '{"x":1}', headers: { 'content-type': 'application/json' } }),
    });
    const text = await body.text();
    if (statusCode !== 200 || (post && text !== '{"x":1}')) {
      throw new Error(`${statusCode} ${text}`);
    }
  };
  await inParallel(8, load, over, ask);
  await dispatcher.destroy();
}

/** Sessions that are replaced when the server says so; what it says it has not seen is asked again. */
async function askOverH2(port: number, load: Load, over: () => boolean): Promise<void> {
  const ca = (await pki.root()).cert;
  let session: http2.ClientHttp2Session | undefined;
  const usable = (): http2.ClientHttp2Session => {
    if (session && !session.closed && !session.destroyed) return session;
    session = http2.connect(`https://127.0.0.1:${port}`, { ca, servername: 'localhost' });
    session.on('error', () => {});
    return session;
  };
  const ask = async (): Promise<void> => {
    for (;;) {
      const stream = usable().request({ ':path': '/' });
      const ended = await new Promise<Error | string>((resolve) => {
        let text = '';
        stream.on('error', resolve);
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        stream.on('end', () => resolve(text));
        stream.on('close', () => resolve(text));
      });
      if (stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM) continue;
      if (typeof ended !== 'string') throw ended;
      if (!ended.startsWith('{"pid":')) throw new Error(`answered ${JSON.stringify(ended)}`);
      return;
    }
  };
  await inParallel(8, load, over, ask);
  session?.destroy();
}

async function inParallel(
  width: number,
  load: Load,
  over: () => boolean,
  ask: (i: number) => Promise<void>,
): Promise<void> {
  const line = async (): Promise<void> => {
    for (let i = 0; !over(); i++) {
      try {
        await ask(i);
        load.answered++;
      } catch (error) {
        load.failures.push(String((error as NodeJS.ErrnoException).code ?? '') + String(error));
      }
      await turn();
    }
  };
  await Promise.all(Array.from({ length: width }, line));
}

t.setTimeout(limit);
t.test('keep-alive and h2 clients', { timeout: limit }, async (t) => {
  const { key, chain: cert } = await pki.serverFor(['dns:localhost', 'ip:127.0.0.1'], 'localhost');
  const env = { IDENTITY: JSON.stringify({ key, cert }) };
  const script = join(__dirname, 'programs', 'rolling-restart.js');
  const child = new Child(t, process.execPath, [script, workers, restarts], {
    env,
    timeout: limit,
  });
  const [, port] = await child.saw(/port (\d+)/, limit);
  const loads: Record<string, Load> = {
    'HTTP/1.1': { answered: 0, failures: [] },
    h2: { answered: 0, failures: [] },
  };
  let over = false;
  const asking = Promise.all([
    askOverH1(Number(port), loads['HTTP/1.1'] as Load, () => over),
    askOverH2(Number(port), loads['h2'] as Load, () => over),
  ]);
  child.write('go\n');
  await child.saw(/done/, limit);
  over = true;
  await asking;
  t.notMatch(child.output, /ended with/);
  for (const [protocol, { answered, failures }] of Object.entries(loads)) {
    t.ok(answered > 50, `${protocol}: ${answered} answered`);
    t.same(failures.slice(0, 5), [], `${protocol}: ${failures.length} failed`);
  }
});
