import { TlsError } from '../errors';
import { Refusal, type Answerer, type Answerers, type Asked } from '../stream/questions';
import { ConfigError } from '../errors';
import type { ServerConfigOptions } from './options';
import type { ServerConfig } from './server-config';

const CLIENT_HELLO = 2;
const OCSP_RESPONSE = 3;
const SIGNATURE = 4;

/** RFC 7301, section 3.2. */
const ALERT_NO_APPLICATION_PROTOCOL = 120;

/** The callbacks of a server that decide about each client. */
export type ServerCallbacks = Pick<
  ServerConfigOptions,
  'SNICallback' | 'ALPNCallback' | 'OCSPCallback'
>;

/** What is asked about each client. */
export interface Asks {
  serverName: boolean;
  protocol: boolean;
  ocspResponse: boolean;
  /** Sessions of TLS 1.2, by their ids. */
  session: boolean;
}

/** What there are callbacks for. */
export function toAsks({ SNICallback, ALPNCallback, OCSPCallback }: ServerCallbacks): Asks {
  return {
    serverName: SNICallback !== undefined,
    protocol: ALPNCallback !== undefined,
    ocspResponse: OCSPCallback !== undefined,
    session: false,
  };
}

/** The callbacks in the options; each must be a function. */
export function toCallbacks(options: ServerConfigOptions): ServerCallbacks {
  const callbacks: ServerCallbacks = {};
  for (const name of ['SNICallback', 'ALPNCallback', 'OCSPCallback'] as const) {
    const callback = options[name] ?? undefined;
    if (callback === undefined) continue;
    if (typeof callback !== 'function') {
      throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', name, 'expected a function');
    }
    Object.assign(callbacks, { [name]: callback });
  }
  const hasProtocols = options.ALPNProtocols ?? options.alpnProtocols;
  if (callbacks.ALPNCallback !== undefined && hasProtocols) {
    throw new ConfigError(
      'ERR_AWS_LC_CONFIG_CONFLICT',
      'ALPNCallback',
      '`ALPNProtocols` is given too',
    );
  }
  return callbacks;
}

/**
 * What answers the questions that a ClientHello raises.
 *
 * @param isConfig tells a configuration from something else that a callback may answer
 */
export function toAnswerers(
  callbacks: ServerCallbacks,
  isConfig: (answer: unknown) => answer is ServerConfig,
): Answerers | undefined {
  const { SNICallback, ALPNCallback, OCSPCallback } = callbacks;
  if (!SNICallback && !ALPNCallback && !OCSPCallback) return undefined;
  const answerHello: Answerer = ({ name, data }, asked) => {
    const selectProtocol = (): Buffer | undefined =>
      ALPNCallback && data.length > 0 ? askForProtocol(ALPNCallback, name, data) : undefined;
    if (!SNICallback || name === '') return selectProtocol();
    return askForContext(SNICallback, name).then((context) => {
      if (context !== undefined && context !== null) useConfig(asked, context, isConfig);
      return selectProtocol();
    });
  };
  return {
    [CLIENT_HELLO]: answerHello,
    [OCSP_RESPONSE]: OCSPCallback && ((_question, asked) => askForOcsp(OCSPCallback, asked)),
  };
}

function askForContext(
  callback: NonNullable<ServerCallbacks['SNICallback']>,
  name: string,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const answered: unknown = callback(name, (error, context) => {
      if (error) reject(error);
      else resolve(context);
    });
    // A callback of one parameter has only its return value to answer with.
    if (answered !== undefined || callback.length < 2) resolve(answered);
  });
}

function useConfig(
  asked: Asked,
  config: unknown,
  isConfig: (answer: unknown) => answer is ServerConfig,
): void {
  if (!isConfig(config)) {
    const message = 'SNICallback must answer with a ServerConfig or nothing';
    throw Object.assign(new TypeError(message), { code: 'ERR_TLS_INVALID_CONTEXT' });
  }
  serveWith(asked, config);
}

/** Serves a client whose ClientHello is being looked at with another configuration than the server's. */
export function serveWith(asked: Asked, { context, answerers }: ServerConfig): void {
  asked.connection.useContext(context);
  const { [OCSP_RESPONSE]: ocsp, [SIGNATURE]: sign } = answerers ?? {};
  if (ocsp !== undefined) asked.use({ [OCSP_RESPONSE]: ocsp });
  if (sign !== undefined) asked.use({ [SIGNATURE]: sign });
}

function toNames(wire: Buffer): string[] {
  const names: string[] = [];
  for (let i = 0; i < wire.length; i += 1 + (wire[i] as number)) {
    names.push(wire.toString('latin1', i + 1, i + 1 + (wire[i] as number)));
  }
  return names;
}

function askForProtocol(
  callback: NonNullable<ServerCallbacks['ALPNCallback']>,
  servername: string,
  wire: Buffer,
): Buffer {
  const protocols = toNames(wire);
  const chosen = callback({ servername, protocols });
  if (chosen === undefined) {
    const refusal = new TlsError(
      'ERR_SSL_NO_APPLICATION_PROTOCOL',
      `TLS failed on the server: ALPNCallback accepts none of ${protocols.join(', ')} (alert no_application_protocol sent)`,
      { side: 'server', alert: NO_APPLICATION_PROTOCOL, reason: 'no application protocol' },
    );
    throw new Refusal(ALERT_NO_APPLICATION_PROTOCOL, refusal);
  }
  if (protocols.includes(chosen)) {
    return Buffer.from(chosen, 'latin1');
  }
  const message = `ALPN callback returned a value (${String(chosen)}) that did not match any of the client's offered protocols (${protocols.join(', ')})`;
  throw Object.assign(new TypeError(message), { code: 'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT' });
}

const NO_APPLICATION_PROTOCOL = {
  direction: 'sent',
  level: 2,
  code: ALERT_NO_APPLICATION_PROTOCOL,
  name: 'no_application_protocol',
} as const;

async function askForOcsp(
  callback: NonNullable<ServerCallbacks['OCSPCallback']>,
  { connection }: Asked,
): Promise<Uint8Array | undefined> {
  const local = connection.localCertificates();
  const [certificate] = local?.chain ?? [];
  if (certificate === undefined) return undefined;
  const response: unknown = await callback({ certificate, issuer: local?.issuer });
  if (response === undefined || response === null) return undefined;
  if (response instanceof Uint8Array) return response;
  throw Object.assign(new TypeError('OCSPCallback must answer with a Buffer or nothing'), {
    code: 'ERR_INVALID_RETURN_VALUE',
  });
}
