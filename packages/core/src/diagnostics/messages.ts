import { alertName } from '../errors';

/** Content types (RFC 8446, section 5.1), and what libssl calls a record's header. */
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const RECORD_HEADER = 256;

const CONTENT_TYPES: Record<number, string> = {
  [CHANGE_CIPHER_SPEC]: 'ChangeCipherSpec',
  [ALERT]: 'Alert',
  [HANDSHAKE]: 'Handshake',
  23: 'ApplicationData',
};

const VERSIONS: Record<number, string> = {
  0x0300: 'SSLv3',
  0x0301: 'TLSv1',
  0x0302: 'TLSv1.1',
  0x0303: 'TLSv1.2',
  0x0304: 'TLSv1.3',
};

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;

/** RFC 8446, section 4; RFC 5246, section 7.4; RFC 6066, section 8. */
const MESSAGES: Record<number, string> = {
  0: 'HelloRequest',
  [CLIENT_HELLO]: 'ClientHello',
  [SERVER_HELLO]: 'ServerHello',
  4: 'NewSessionTicket',
  5: 'EndOfEarlyData',
  8: 'EncryptedExtensions',
  11: 'Certificate',
  12: 'ServerKeyExchange',
  13: 'CertificateRequest',
  14: 'ServerHelloDone',
  15: 'CertificateVerify',
  16: 'ClientKeyExchange',
  20: 'Finished',
  22: 'CertificateStatus',
  24: 'KeyUpdate',
  254: 'MessageHash',
};

/** The registry of TLS ExtensionType values. */
const EXTENSIONS: Record<number, string> = {
  0: 'server_name',
  1: 'max_fragment_length',
  5: 'status_request',
  10: 'supported_groups',
  11: 'ec_point_formats',
  13: 'signature_algorithms',
  16: 'application_layer_protocol_negotiation',
  18: 'signed_certificate_timestamp',
  21: 'padding',
  22: 'encrypt_then_mac',
  23: 'extended_master_secret',
  27: 'compress_certificate',
  35: 'session_ticket',
  41: 'pre_shared_key',
  42: 'early_data',
  43: 'supported_versions',
  44: 'cookie',
  45: 'psk_key_exchange_modes',
  47: 'certificate_authorities',
  49: 'post_handshake_auth',
  50: 'signature_algorithms_cert',
  51: 'key_share',
  65281: 'renegotiation_info',
};

/** The random of a ServerHello that is a HelloRetryRequest begins so (RFC 8446, section 4.1.3). */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111', 'hex');

/**
 * A record's header, or a message, in words: what it is, how long, and of hellos what they offer. Nothing in it is secret.
 *
 * @param contentType as `ConnectionCallbacks.onTrace` has it
 */
export function describeMessage(contentType: number, data: Buffer): string {
  const name = CONTENT_TYPES[contentType] ?? `content type ${contentType}`;
  switch (contentType) {
    case RECORD_HEADER:
      return describeHeader(data);
    case ALERT:
      return `${name}: ${data[0] === 2 ? 'fatal' : 'warning'} ${alertName(data[1] ?? 0)}`;
    case HANDSHAKE:
      return `${name}: ${describeHandshake(data)}`;
    default:
      return `${name}, ${data.length} bytes`;
  }
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(4, '0')}`;
}

function describeHeader(header: Buffer): string {
  if (header.length < 5) return `Record, ${header.length} bytes of a header`;
  const type = CONTENT_TYPES[header.readUInt8(0)] ?? `content type ${header.readUInt8(0)}`;
  const version = header.readUInt16BE(1);
  return `Record: ${type}, ${VERSIONS[version] ?? hex(version)}, ${header.readUInt16BE(3)} bytes`;
}

function describeHandshake(message: Buffer): string {
  const type = message[0] ?? -1;
  const name = MESSAGES[type] ?? `message ${type}`;
  const body = message.subarray(4);
  try {
    if (type === CLIENT_HELLO) return `${name}, ${body.length} bytes, ${describeClientHello(body)}`;
    if (type === SERVER_HELLO) return describeServerHello(body);
  } catch {
    // It ends before it should; the handshake says so better.
  }
  return `${name}, ${body.length} bytes`;
}

/** What is read one after the other; past the end it throws. */
class Reader {
  #offset = 0;
  readonly #data: Buffer;

  constructor(data: Buffer) {
    this.#data = data;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#data.length;
  }

  bytes(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#data.length) throw new RangeError('the message is cut short');
    const bytes = this.#data.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  number(size: 1 | 2): number {
    return this.bytes(size).readUIntBE(0, size);
  }

  /** What has its length in front of it. */
  vector(size: 1 | 2): Buffer {
    return this.bytes(this.number(size));
  }
}

function* entries<T>(data: Buffer, read: (reader: Reader) => T): Generator<T> {
  const reader = new Reader(data);
  while (!reader.isAtEnd) yield read(reader);
}

function describeClientHello(body: Buffer): string {
  const reader = new Reader(body);
  const version = reader.number(2);
  reader.bytes(32);
  const session = reader.vector(1);
  const suites = [...entries(reader.vector(2), (list) => hex(list.number(2)))];
  reader.vector(1);
  const resumes = session.length > 0 ? `, session id of ${session.length} bytes` : '';
  const extensions = reader.isAtEnd ? '' : describeExtensions(reader.vector(2));
  return `${VERSIONS[version] ?? hex(version)}${resumes}, suites ${suites.join(' ')}${extensions}`;
}

function describeServerHello(body: Buffer): string {
  const reader = new Reader(body);
  const version = reader.number(2);
  const isRetry = reader.bytes(32).subarray(0, RETRY_RANDOM.length).equals(RETRY_RANDOM);
  reader.vector(1);
  const suite = hex(reader.number(2));
  reader.number(1);
  const extensions = reader.isAtEnd ? '' : describeExtensions(reader.vector(2));
  const name = isRetry ? 'HelloRetryRequest' : 'ServerHello';
  return `${name}, ${body.length} bytes, ${VERSIONS[version] ?? hex(version)}, suite ${suite}${extensions}`;
}

function describeExtensions(list: Buffer): string {
  const described = [...entries(list, (reader) => describeExtension(reader))];
  return `, extensions ${described.join(' ')}`;
}

function describeExtension(reader: Reader): string {
  const type = reader.number(2);
  const data = reader.vector(2);
  const name = EXTENSIONS[type] ?? hex(type);
  const detail = data.length > 2 ? describeNames(type, data) : '';
  return detail === '' ? name : `${name}=${detail}`;
}

/** The host name of RFC 6066 and the protocols of RFC 7301, printable whatever a peer sends. */
function describeNames(type: number, data: Buffer): string {
  if (type !== 0 && type !== 16) return '';
  const list = new Reader(data).vector(2);
  const names = [
    ...entries(list, (reader) => {
      if (type === 0) reader.number(1);
      return reader.vector(type === 0 ? 2 : 1).toString('latin1');
    }),
  ];
  return JSON.stringify(names.join(','));
}
