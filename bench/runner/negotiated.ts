import { connect, type TlsStream } from '@node-aws-lc/core';
import { pinText, type Pin, type Target } from './scenario';

/** What a client with every option open ends up with at `target`; throws unless it is the pin. */
export async function checkedNegotiation({ port, tls, pin }: Target): Promise<string> {
  if (!tls || port === 0) return 'plain';
  const seen = await negotiatedAt(port);
  const pinned = pinText(pin);
  if (seen !== pinned) throw new Error(`negotiated ${seen}, not ${pinned}`);
  return seen;
}

/** By this library's own client: those of older Nodes do not know every group. */
function negotiatedAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
      groups: ['X25519MLKEM768', 'X25519', 'P-256'],
      ktls: 'off',
    }) as unknown as TlsStream;
    socket.setTimeout(5000, () => socket.destroy(new Error('the server does not shake hands')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const { protocol, cipher, group } = socket.negotiated;
      const certificate = socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType;
      const kind: Pin['certificate'] = certificate === 'rsa' ? 'RSA-2048' : 'ECDSA P-256';
      // A server of h2 or of HTTP waits for more; the end must not wait for it.
      socket.setTimeout(200, () => socket.destroy());
      socket.once('close', () => resolve(`${protocol} ${cipher} ${group}, ${kind} certificate`));
      socket.resume().end();
    });
  });
}
