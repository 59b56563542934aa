/**
 * A service whose private key is in another process: that one, started by this program itself, has the key and signs;
 * this one has the certificate and talks to the network. A security module or a key management service takes the place
 * of the other process.
 *
 *     PORT=8443 node examples/dist/remote-signer.js
 *     openssl s_client -connect localhost:8443 -CAfile examples/.certificate/ca.pem
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createSecureServer, type RemotePrivateKey } from '@node-aws-lc/core';
import { developmentCertificate } from './development-certificate';

interface Task {
  id: number;
  data: string;
}
interface Signed {
  id: number;
  signature: string;
}

/** The process that has the key. */
function signTasks(keyFile: string): void {
  const key = createPrivateKey(readFileSync(keyFile));
  process.on('message', ({ id, data }: Task) => {
    // ecdsa_secp256r1_sha256, the algorithm that the other process announces.
    const signature = sign('sha256', Buffer.from(data, 'base64'), key).toString('base64');
    process.send?.({ id, signature } satisfies Signed);
  });
  process.on('disconnect', () => process.exit());
}

/** The key as the other process sees it. */
function remoteKey(signer: ChildProcess): RemotePrivateKey {
  const waiting = new Map<number, (signature: Buffer) => void>();
  let next = 0;
  signer.on('message', ({ id, signature }: Signed) => {
    waiting.get(id)?.(Buffer.from(signature, 'base64'));
    waiting.delete(id);
  });
  return {
    algorithms: ['ecdsa_secp256r1_sha256'],
    sign: (_algorithm, data, signal) =>
      new Promise((resolve, reject) => {
        const gone = (): void => reject(new Error('the signer is gone'));
        const id = next++;
        waiting.set(id, resolve);
        signal.addEventListener('abort', () => {
          waiting.delete(id);
          signer.off('exit', gone);
        });
        signer.once('exit', gone);
        signer.send({ id, data: data.toString('base64') } satisfies Task, (error) => {
          if (error) gone();
        });
      }),
  };
}

async function main(): Promise<void> {
  const { cert, files } = await developmentCertificate();
  const signer = fork(__filename, [files.key]);
  signer.setMaxListeners(0);
  console.log(`signer is process ${signer.pid}`);
  const server = createSecureServer(
    { privateKey: remoteKey(signer), cert, handshakeTimeout: 5000 },
    (_request, response) => {
      response.end('signed elsewhere\n');
    },
  );
  server.on('tlsClientError', (error: Error) => console.error(error.message));
  server.listen(Number(process.env['PORT'] ?? 8443), 'localhost', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`https://localhost:${port}/; clients trust ${files.ca}`);
  });
}

const [keyFile] = process.argv.slice(2);
if (keyFile !== undefined && process.send) signTasks(keyFile);
else void main();
