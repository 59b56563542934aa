/**
 * A TLS 1.3 client that can say whatever it likes: node:tls shakes hands, then hands over its keys
 * (its key log tells the secrets), and the test seals the records itself (RFC 8446, section 5.2).
 */
import { createCipheriv, createHmac } from 'node:crypto';
import net from 'node:net';
import { duplexPair } from 'node:stream';
import type { Test } from 'tap';
import tls from 'node:tls';
import * as pki from '../helpers/pki.js';
import { nextEvent } from '../helpers/wait.js';
import { recordTypes } from '../helpers/wire.js';

const keySize = 16;
const ivSize = 12;
const hash = 'sha256';

/** The descriptions of the alerts that the tests send. */
export const alerts = {
  closeNotify: 0,
  unexpectedMessage: 10,
  badRecordMac: 20,
  handshakeFailure: 40,
  certificateExpired: 45,
  internalError: 80,
  userCanceled: 90,
} as const;

/** Keys for one direction, and the number of the next record. */
export class Sealer {
  private sequence = 0n;
  private readonly key: Buffer;
  private readonly iv: Buffer;

  /** @param secret a traffic secret of TLS_AES_128_GCM_SHA256 */
  constructor(secret: Buffer) {
    this.key = expandLabel(secret, 'key', keySize);
    this.iv = expandLabel(secret, 'iv', ivSize);
  }

  /** One record of any type, with any content and any padding. */
  record(type: number, content: Buffer | string, padding = 0): Buffer {
    const plain = Buffer.concat([Buffer.from(content), Buffer.of(type), Buffer.alloc(padding)]);
    const header = Buffer.alloc(5);
    header.writeUInt8(recordTypes.applicationData, 0);
    header.writeUInt16BE(0x0303, 1);
    header.writeUInt16BE(plain.length + 16, 3);
    const nonce = Buffer.from(this.iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.sequence++, 4);
    const cipher = createCipheriv('aes-128-gcm', this.key, nonce);
    cipher.setAAD(header);
    return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** An alert (RFC 8446, section 6). */
  alert(description: number, level = 2): Buffer {
    return this.record(recordTypes.alert, Buffer.of(level, description));
  }

  /** A handshake message with its header (section 4). */
  handshake(type: number, body: Buffer): Buffer {
    return this.record(recordTypes.handshake, handshakeMessage(type, body));
  }

  /** Application data. */
  data(content: Buffer | string, padding = 0): Buffer {
    return this.record(recordTypes.applicationData, content, padding);
  }
}

/** A handshake message with its header (RFC 8446, section 4). */
export function handshakeMessage(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length, 0);
  header.writeUInt8(type, 0);
  return Buffer.concat([header, body]);
}

/** The wire and the keys of a client whose handshake is complete. */
export interface Forged {
  wire: net.Socket;
  sealer: Sealer;
}

/** Shakes hands with a server on a port as an ordinary client, then stops being one. */
export async function forgedClient(t: Test, port: number, host = '127.0.0.1'): Promise<Forged> {
  const wire = net.connect({ port, host, noDelay: true });
  wire.on('error', () => {});
  t.teardown(() => wire.destroy());
  const [near, far] = duplexPair();
  near.pipe(wire).pipe(near);
  const client = tls.connect({
    socket: far,
    servername: 'localhost',
    ca: (await pki.root()).cert,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
  });
  client.on('error', () => {});
  let secret: string | undefined;
  client.on('keylog', (line: Buffer) => {
    secret ??= /^CLIENT_TRAFFIC_SECRET_0 \w+ (\w+)/.exec(line.toString())?.[1];
  });
  await nextEvent(client, 'secureConnect');
  near.unpipe(wire);
  wire.unpipe(near);
  if (secret === undefined) throw new Error('no secret in the key log');
  return { wire, sealer: new Sealer(Buffer.from(secret, 'hex')) };
}

/** HKDF-Expand-Label (RFC 8446, section 7.1) for what fits into one block. */
export function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, length, name.length), name, Buffer.of(0, 1)]);
  return createHmac(hash, secret).update(info).digest().subarray(0, length);
}
