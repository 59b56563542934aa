import { get } from 'node:https';
import t from 'tap';
import { rejection, within } from '../helpers/wait.js';
import { exampleCa, startExample } from './example.js';

function request(port: string): Promise<string> {
  const answer = new Promise<string>((resolve, reject) => {
    const options = { host: 'localhost', port, ca: exampleCa(), agent: false };
    get(options, (response) => {
      response.setEncoding('utf8').on('data', resolve);
    }).on('error', reject);
  });
  return within('the answer', answer);
}

t.test('another process signs, and when it is gone handshakes fail and say so', async (t) => {
  const service = startExample(t, 'remote-signer');
  const [, signer] = await service.saw(/signer is process (\d+)/);
  const [, port] = await service.saw(/https:\/\/localhost:(\d+)/);
  t.equal(await request(port!), 'signed elsewhere\n');
  process.kill(Number(signer), 'SIGKILL');
  const error = await rejection(request(port!));
  t.match(error.message, /alert|socket hang up|disconnected|ECONNRESET/i);
  await service.saw(/the private key did not sign: the signer is gone/);
});
