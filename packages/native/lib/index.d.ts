/**
 * The contract between the addon, which is mechanism only, and the TypeScript above it, which validates everything
 * and decides. Nothing here is public API.
 */

/** A TLS alert as it crossed the wire (RFC 8446, section 6). */
export interface NativeAlert {
  direction: 'sent' | 'received';
  level: number;
  code: number;
  name: string;
}

export type NativeError = { alert?: NativeAlert } & (
  | { kind: 'system'; errno: number; code: string; description: string; syscall: string }
  | { kind: 'protocol'; reason: string; library: string }
  | { kind: 'verification'; verifyResult: number; description: string }
  | { kind: 'eof' }
);

export interface NativeKey {
  key: Uint8Array;
  keyIsPem: boolean;
  passphrase?: string | undefined;
}

/** What trust is made of; everything is DER. */
export interface TrustContents {
  /** Another store, all of whose certificates are taken over. */
  base?: TrustStore | undefined;
  certificates: Uint8Array[];
  ignoreUnparsable?: boolean | undefined;
  /** Revocation lists; with any, every authority of a chain must have one. */
  crls?: Uint8Array[] | undefined;
  /** Whether a certificate that is no root ends a chain, too. */
  partialChain?: boolean | undefined;
}

/** What a PKCS #12 file holds, in DER. */
export interface Pkcs12Contents {
  /** PKCS #8. */
  key?: Buffer;
  /** The key's certificate and its issuers, as far as they are there; roots excepted. */
  chain: Buffer[];
  others: Buffer[];
}

export interface ContextOptions {
  isServer: boolean;
  /** TLS version numbers as they are on the wire, e.g. 0x0304. */
  minVersion: number;
  maxVersion: number;
  /** TLS 1.2 and below, OpenSSL's list syntax. */
  cipherList?: string | undefined;
  /** TLS 1.3, colon-separated. */
  cipherSuites?: string | undefined;
  groups?: string | undefined;
  keys: NativeKey[];
  /** DER, each leaf first; a key takes the chain that it belongs to. */
  chains: Uint8Array[][];
  /** The only chain's key is somebody else's: signatures are asked for, with these algorithms, by their numbers. */
  signsElsewhere?: boolean | undefined;
  signingAlgorithms?: number[] | undefined;
  /** Signature algorithms by their numbers (RFC 8446, section 4.2.3), in order of preference. */
  sigalgs?: number[] | undefined;
  /** 0 none, 1 record, 2 optional, 3 required. */
  peerVerification: 0 | 1 | 2 | 3;
  /** Whether onQuestion judges the peer's name inside the handshake. */
  checksIdentity: boolean;
  trust?: TrustStore | undefined;
  /** Wire format (RFC 7301); the server's is in order of preference. */
  alpn?: Uint8Array | undefined;
  /** Client: asks for a stapled OCSP response. */
  requestsOcspResponse?: boolean | undefined;
  /** Server: which of a ClientHello's parts are asked about. */
  asksServerName?: boolean | undefined;
  asksAlpn?: boolean | undefined;
  asksOcspResponse?: boolean | undefined;
  /** Server: sends no session tickets. */
  noTickets?: boolean | undefined;
  /** Server: the client's order of cipher suites decides up to TLS 1.2, instead of the server's. */
  followsClientOrder?: boolean | undefined;
  /** Server: what session tickets are sealed with; random keys of AWS-LC's if absent. */
  ticketKeys?: TicketKeys | undefined;
  /** Server: binds sessions to the policy they were made under; 32 bytes at most. */
  sessionIdContext?: Uint8Array | undefined;
  /** Server: seconds until a session cannot be resumed any more; libssl's own if absent or 0. */
  sessionTimeout?: number | undefined;
  /** Server: sessions of TLS 1.2 get ids, which are asked about. */
  storesSessions?: boolean | undefined;
}

/** Errors thrown carry `operation` (the option at fault), `reason` and `library`. */
export declare class Context {
  constructor(options: ContextOptions);
  private readonly brand: 'Context';
}

/** Keys for session tickets, 48 bytes each; exchanged under all contexts that were given them. */
export declare class TicketKeys {
  /** The key at `current` seals and opens, the others open; what those behind it have sealed is sealed anew. */
  set(keys: Uint8Array[], current: number): void;
  /** Random keys: a new one every `interval` seconds, `kept` before it go on opening. */
  generate(interval: number, kept: number): void;
  /** The keys, beginning with the one that seals; those before it are left out. */
  get(): Buffer[];
}

export declare class TrustStore {
  constructor(contents: TrustContents);
  private readonly brand: 'TrustStore';
}

/** A part of a file, on a descriptor of its own that stays open until close(). */
export declare class FileSource {
  /**
   * Never throws: see failure().
   * @param end the offset behind the last byte; Infinity is the end of the file
   */
  constructor(fd: number, start: number, end: number);
  /** Bytes sent so far. */
  sent(): number;
  /** Whether all of it was sent, as far as the file has it. */
  complete(): boolean;
  /** What is wrong with the file, as read(2) would have it. */
  failure(): (NativeError & { kind: 'system' }) | undefined;
  /** Lets go of the file; a step that is being made keeps it open until it has returned. */
  close(): void;
}

/** What protocol version, suite and group are called; one object for all connections that agreed on the same. */
export interface Agreement {
  readonly protocol: string;
  /** IANA name. */
  readonly cipher: string | null;
  /** OpenSSL's name. */
  readonly cipherName: string | null;
  readonly cipherVersion: string | null;
  readonly group: string | null;
}

/** An array, which is made in a third of the time of an object. */
export type ConnectionDetails = [
  agreement: Agreement,
  alpn: string | null,
  serverName: string | null,
  resumed: boolean,
  /** Whether the configuration asks the peer for a certificate. */
  verifiesPeer: boolean,
  verifyResult: number,
  /** Client: what the server stapled (RFC 6066, section 8). */
  ocspResponse: Buffer | undefined,
];

/**
 * Who does the record layer: userspace, the kernel as soon as it can, the kernel. Errors are negated errnos or 0; rxError
 * is that of ESHUTDOWN where the peer's close_notify had come before the kernel could receive, of ECONNABORTED where
 * reading had failed.
 */
export interface NativeKernelTls {
  tx: 0 | 1 | 2;
  rx: 0 | 1 | 2;
  attachError: number;
  txError: number;
  rxError: number;
}

/** What write() and shutdown() answer: done, pending (onWritten follows), failed (see lastError()). */
export type Outcome = 0 | 1 | 2;

export interface NativeAddress {
  address?: string;
  family?: string;
  port?: number;
}

export declare class Connection {
  constructor(
    context: Context,
    /** settleFirst: the handshake is not over before it is known what the kernel does. */
    ktls:
      | { tx: boolean; rx: boolean; afterBytes: number; canRekey: boolean; settleFirst: boolean }
      | undefined,
    /** Suites up to TLS 1.2 (none: undefined) and lowest version, instead of the context's; narrower than those. */
    narrowed: { cipherList: string | undefined; minVersion: number } | undefined,
    /** Whether onKeyLog is called. */
    keepsKeyLog: boolean,
    client?: {
      servername: string | undefined;
      /** What sessions are bound to, beside the client's own certificate. */
      serverIdentity: string | undefined;
      alpn: Uint8Array | undefined;
      /** Not offered if it is bound to something else. */
      session: Uint8Array | undefined;
    },
  );
  /** fd -1: a Duplex carries the ciphertext, through feed() and onOutput. */
  start(owner: object, fd: number, early: Uint8Array | undefined): void;
  /**
   * Answers the question of that number: -1 goes on, an alert number refuses the peer. What answers no open question is
   * ignored.
   */
  answer(question: number, alert: number, bytes?: Uint8Array): void;
  /** Server, before a kClientHello is answered: serves this client with another context; whether that could be done. */
  useContext(context: Context): boolean;
  /** Has onTrace called from now on. */
  enableTrace(): void;
  /** What this end proves itself with, known during the handshake. */
  localCertificates(): { chain: Buffer[]; issuer?: Buffer } | undefined;
  /** Answers whether input is waiting that no event will announce: call deliver() soon. */
  readStart(): boolean;
  readStop(): void;
  deliver(): void;
  write(chunks: Uint8Array[]): Outcome;
  /** `holds`: what was written goes along with what follows before anything else is done: shutdown() or another write. */
  writeSlab(length: number, holds: boolean): Outcome;
  /** Pending unless it failed. Failures of the file itself are asked of the source when it is done. */
  sendFile(source: FileSource): Outcome;
  /** Gives up the file in progress; onWritten follows, at once or when the system call in progress has returned. */
  cancelFile(): void;
  /** Server: sends the session tickets that would wait for the first write, if there was none. */
  sendTickets(): void;
  shutdown(): Outcome;
  /** Tells the peer by this alert that an established connection is not wanted; close() follows. */
  refuse(alert: number): void;
  /** Sends close_notify if nothing is lost by it, and closes. */
  close(): void;
  /** Closes with RST and without close_notify. */
  reset(): void;
  /**
   * Answers a descriptor that carries the plaintext from now on, both ways, in place of onRead and write(); it is the
   * caller's. What was read before comes first. Throws where none can be had.
   */
  openPlaintextSocket(readBefore: Uint8Array | undefined): number;
  /** Bytes that the descriptor has carried, to it and from it. */
  pumpedBytes(): [toDescriptor: number, fromDescriptor: number];
  feed(chunk: Uint8Array): boolean;
  feedEof(): void;
  delivered(): void;
  lastError(): NativeError | undefined;
  details(): ConnectionDetails | undefined;
  /** What the peer sent: DER, leaf first. */
  peerCertificates(): Buffer[];
  /** The chain up to the root that it was verified with; empty if it was not. */
  verifiedCertificates(): Buffer[];
  session(): Buffer | undefined;
  /** Client, before the handshake: whether a session is on offer that must not be offered again (RFC 8446, C.4). */
  offersSingleUse(): boolean;
  /** Whether a KeyUpdate is on its way. */
  updateKeys(): boolean;
  kernelTls(): NativeKernelTls | undefined;
  /** Bytes that the transport has taken. */
  bytesSent(): number;
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer | undefined;
  /** The ticket in a session that session() answered or onSession was called with. */
  ticketOf(session: Uint8Array): Buffer | undefined;
  /** The signature schemes that both ends have, by their numbers in TLS 1.3 and in this end's order. */
  sharedSigalgs(): number[];
  /** Limits the plaintext of a record; false where the kernel makes them. */
  setMaxSendFragment(bytes: number): boolean;
  finished(): Buffer | undefined;
  peerFinished(): Buffer | undefined;
  /** After close(), too. */
  peerName(): NativeAddress;
  socketName(): NativeAddress;
  setNoDelay(enable: boolean): void;
  setKeepAlive(enable: boolean, initialDelaySeconds: number): void;
  setReferenced(referenced: boolean): void;
}

/**
 * What a handshake can wait for. 1: is this the peer that was meant? `detail` is the chain's X509_V_* result. 2: a
 * ClientHello; `name` is the server name that it asks for, `data` its ALPN protocols, each empty where it has none or
 * nobody asks; the answer's bytes are the protocol, if any. 3: a client would like an OCSP response, the answer's bytes. 4: a signature
 * of `data` by the algorithm `detail`, the answer's bytes. 5: the session of the id `data`, the answer's bytes; none is a
 * full handshake. 6: a new session is to be kept; `data` is its id, `detail` bytes, and behind it the session.
 */
export type QuestionKind = 1 | 2 | 3 | 4 | 5 | 6;

/** Called with the connection's owner as `this`. */
export interface ConnectionCallbacks<Owner> {
  onHandshake(this: Owner, error?: NativeError): void;
  /** The handshake waits for answer(): what `detail`, `name` and `data` are depends on the kind. */
  onQuestion(
    this: Owner,
    kind: QuestionKind,
    question: number,
    detail: number,
    name: string,
    data: Buffer,
  ): void;
  /**
   * The plaintext lies in the read slab, from its start. With `more` there is more of it that nothing will announce:
   * deliver() is to be called when others have had their turn.
   */
  onRead(this: Owner, length: number, sessions: Buffer[] | undefined, more: boolean): void;
  onEnd(this: Owner, closeNotify: boolean): void;
  onWritten(this: Owner, error?: NativeError): void;
  onError(this: Owner, error: NativeError): void;
  onOutput(this: Owner, ciphertext: Buffer): void;
  onSession(this: Owner, session: Buffer): void;
  /** Whoever has the other end of the plaintext socket writes no more; all that he wrote is sent or queued. */
  onPlaintextEnd(this: Owner): void;
  onKeyLog(this: Owner, line: Buffer): void;
  /**
   * A message that libssl has sent or received: its content type (RFC 8446, section 5.1), or 256 for a record's header.
   * None where the kernel does the records.
   */
  onTrace(this: Owner, sent: boolean, contentType: number, data: Buffer): void;
}

export function setCallbacks<Owner>(callbacks: ConnectionCallbacks<Owner>): void;
export function setReadSlab(slab: Uint8Array): void;
export function setWriteSlab(slab: Uint8Array): void;
export function cipherSuites(): { name: string; standardName: string; tls13: boolean }[];
/** The names, TLS 1.2 and below, that a list in OpenSSL's syntax stands for; throws if it stands for none. */
export function resolveCipherList(list: string): string[];
export function groups(): string[];
/** Errors thrown carry `reason`. */
export function readPkcs12(data: Uint8Array, passphrase: string | undefined): Pkcs12Contents;
/** Errors are negated errnos or 0. May make the kernel load modules. */
export interface NativeHostProbe {
  /** A TCP connection over loopback. */
  connectError: number;
  /** The kernel's TLS on top of it; no cipher is tried without it. */
  attachError: number;
  ciphers: NativeCipherProbe[];
}

export type KernelCipher = 'AES-128-GCM' | 'AES-256-GCM' | 'CHACHA20-POLY1305';

export interface NativeCipherProbe {
  name: KernelCipher;
  txError: number;
  rxError: number;
  /** New keys for a direction that has some. */
  rekeyError: number;
}

export function probeKernelTls(): NativeHostProbe;
export function libraryInfo(): { version: string; description: string; fips: boolean };
