import type { X509Certificate } from 'node:crypto';
import type { CipherNameAndProtocol, DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import type { Connection, ConnectionDetails } from '@node-aws-lc/native';
import { toSigalgName } from '../config/sigalgs';
import { kernelTlsMissing, TlsError, verificationCode, type TlsSide } from '../errors';
import type { KtlsPolicy } from '../ktls/policy';
import {
  isKtlsSettled,
  isNothingLeftToReceive,
  ktlsEligibility,
  ktlsState,
  ktlsStatus,
  type KtlsEligibility,
  type KtlsPlan,
  type KtlsStatus,
} from '../ktls/status';
import { DetachedSocket } from './detached-socket';
import { toNegotiated, type HandshakeDetails, type Negotiated } from './negotiated';
import { PeerCertificates } from './peer-certificates';

/** What was wanted of kernel TLS. */
export interface KtlsIntent {
  ktls: KtlsPolicy;
  /** What the connection was told to ask of the kernel. */
  ktlsPlan: KtlsPlan;
}

const NOT_YET: KtlsStatus = { tx: false, rx: false, reason: 'the handshake is not complete' };

/** What the handshake agreed on, and what became of kernel TLS. */
export abstract class NegotiatedSocket extends DetachedSocket {
  /** Always true. */
  readonly encrypted = true;
  /** Whether the peer presented a certificate that was verified, its name included. */
  authorized = false;
  /** Why the peer is not authorised: one of Node's verification codes, or null. */
  authorizationError: string | null = null;

  /** @internal Undefined until the handshake is complete. */
  protected _details: HandshakeDetails | undefined;
  /** @internal */
  _side: TlsSide;
  #negotiated: Negotiated | undefined;
  #eligibility: KtlsEligibility | undefined;
  #ktlsIntent: KtlsIntent | undefined;
  #ktls = NOT_YET;
  #ktlsSettled = true;
  #certificates: PeerCertificates | undefined;
  #lastSession: Buffer | undefined;

  protected constructor(side: TlsSide, options: object) {
    super(options);
    this._side = side;
  }

  /** What the handshake agreed on. */
  get negotiated(): Negotiated {
    return (this.#negotiated ??= this._details && toNegotiated(this._details)) as Negotiated;
  }

  /** The ALPN protocol, or false where none was agreed on; null until the handshake is complete. */
  get alpnProtocol(): string | false | null {
    return this._details === undefined ? null : (this._details.alpn ?? false);
  }

  /** The name that the client asked for (SNI), or false where it asked for none; null until the handshake is complete. */
  get servername(): string | false | null {
    // A server is told at the beginning of the handshake, and whoever looks into one that failed wants to know.
    if (this._details === undefined) return this._connection?.details()?.[2] ?? null;
    return this._details.serverName ?? false;
  }

  /** The OCSP response that the server stapled, in DER, where one was asked for (`requestOCSP`) and came. */
  get ocspResponse(): Buffer | undefined {
    return this._details?.ocspResponse;
  }

  /** The protocol version. */
  getProtocol(): string | null {
    return this._details?.agreement.protocol ?? null;
  }

  /** The cipher suite as `node:tls` describes it. */
  getCipher(): CipherNameAndProtocol | undefined {
    if (this._details === undefined) return undefined;
    const { cipherName, cipher, cipherVersion } = this._details.agreement;
    return { name: cipherName ?? '', standardName: cipher ?? '', version: cipherVersion ?? '' };
  }

  /** @internal */
  protected _settleNegotiated(connection: Connection): HandshakeDetails {
    const [agreement, alpn, serverName, resumed, verifiesPeer, verifyResult, ocspResponse] =
      connection.details() as ConnectionDetails;
    return (this._details = {
      agreement,
      alpn,
      serverName,
      resumed,
      verifiesPeer,
      verifyResult,
      ocspResponse,
    });
  }

  // --- sessions --------------------------------------------------------------------------------

  /** Whether an earlier session was resumed. */
  isSessionReused(): boolean {
    return this._details?.resumed ?? false;
  }

  /**
   * The session, to resume it with the option `session`. TLS 1.3 delivers it after the handshake: wait for the event
   * 'session' (RFC 8446, section 4.6.1).
   */
  getSession(): Buffer | undefined {
    return this.#lastSession ?? this._connection?.session();
  }

  /** The ticket of the session, on a client that has one: for debugging. */
  getTLSTicket(): Buffer | undefined {
    const session = this._side === 'client' ? this.getSession() : undefined;
    return session && this._connection?.ticketOf(session);
  }

  /** @internal */
  onSession(session: Buffer): void {
    this.#lastSession = session;
    this.emit('session', session);
  }

  // --- the peer's certificate ------------------------------------------------------------------

  /** @internal */
  protected _peerCertificates(): PeerCertificates {
    return (this.#certificates ??= new PeerCertificates(
      this._connection?.peerCertificates() ?? [],
      () => this._connection?.verifiedCertificates() ?? [],
    ));
  }

  /** @internal Whether the chain was verified, by libssl's result. */
  protected _judgeChain(verifyResult: number): void {
    this.authorizationError = verificationCode(verifyResult) ?? null;
    this.authorized = this.authorizationError === null;
  }

  /**
   * The peer's certificate as `node:tls` describes it; an empty object where it presented none.
   *
   * @param detailed with the issuers, as far as the peer sent them, in `issuerCertificate`
   */
  getPeerCertificate(detailed: true): DetailedPeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate;
  getPeerCertificate(detailed = false): PeerCertificate {
    return detailed
      ? this._peerCertificates().toDetailedObject()
      : this._peerCertificates().toLegacyObject();
  }

  /** The peer's certificate, or undefined where it presented none. */
  getPeerX509Certificate(): X509Certificate | undefined {
    return this._peerCertificates().leaf;
  }

  // --- algorithms and records ------------------------------------------------------------------

  /**
   * The signature algorithms that both ends have, in this end's order and in OpenSSL's form, e.g. `'RSA-PSS+SHA256'`.
   * Empty before the handshake is complete, and on a client that was not asked for a certificate.
   */
  getSharedSigalgs(): string[] {
    return this._connection?.sharedSigalgs().map(toSigalgName) ?? [];
  }

  /**
   * Limits the plaintext of the records to come: smaller ones can be decrypted sooner, larger ones cost less. The
   * sending direction then stays out of the kernel.
   *
   * @param size bytes, 512 to 16 384
   * @returns whether it was done: false out of that range, before the transport is connected and after the end, and where
   *   the kernel makes the records (see `ktls.tx`) or has been required to
   */
  setMaxSendFragment(size = 16_384): boolean {
    if (typeof size !== 'number') {
      throw Object.assign(new TypeError('size: expected a number'), {
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    // RFC 8446, section 5.1, has the one bound, OpenSSL the other.
    if (!Number.isInteger(size) || size < 512 || size > 16_384) return false;
    return this._connection?.setMaxSendFragment(size) ?? false;
  }

  // --- channel binding and exporters -----------------------------------------------------------

  /** This side's Finished message (RFC 8446, section 4.4.4). */
  getFinished(): Buffer | undefined {
    return this._connection?.finished();
  }

  /** The peer's Finished message. */
  getPeerFinished(): Buffer | undefined {
    return this._connection?.peerFinished();
  }

  /**
   * Keying material bound to this connection (RFC 5705; RFC 8446, section 7.5).
   *
   * @param length bytes
   * @param label a label from the IANA registry, or one beginning with `EXPERIMENTAL`
   * @throws TlsError ERR_TLS_INVALID_STATE before the handshake is complete and after the stream is closed
   */
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer {
    if (typeof label !== 'string') {
      throw Object.assign(new TypeError('label: expected a string'), {
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    // RFC 8446, section 7.1: the length is a uint16.
    if (!Number.isInteger(length) || length <= 0 || length > 0xffff) {
      throw Object.assign(new RangeError('length: expected 1 to 65535 bytes'), {
        code: 'ERR_OUT_OF_RANGE',
      });
    }
    const material =
      this._details && this._connection?.exportKeyingMaterial(length, label, context);
    if (material !== undefined) return material;
    const state = this._details === undefined ? 'the handshake is not complete' : 'it is closed';
    throw new TlsError('ERR_TLS_INVALID_STATE', `the stream has no keys: ${state}`, {
      side: this._side,
    });
  }

  // --- kernel TLS ------------------------------------------------------------------------------

  /** @internal */
  protected _intendKtls({ ktls, ktlsPlan }: KtlsIntent): void {
    this.#ktlsIntent = { ktls, ktlsPlan };
  }

  /**
   * @internal Asks where the connection stands with the kernel; answers what is missing, if kernel TLS is required. Then
   * it is settled when the handshake is over.
   */
  protected _settleKtls(connection: Connection): Error | undefined {
    const { ktls, ktlsPlan } = this.#ktlsIntent as KtlsIntent;
    const state = ktlsState(ktlsPlan, connection);
    this.#ktls = ktlsStatus(ktlsPlan, state, this.ktlsEligibility);
    this.#ktlsSettled = isKtlsSettled(ktlsPlan, state);
    const { tx, rx, reason } = this.#ktls;
    const sends = ktls.tx !== 'require' || tx;
    // Who asks for a thing and ends in one breath is no refusal of the kernel's.
    const receives = ktls.rx !== 'require' || rx || isNothingLeftToReceive(state);
    if (sends && receives) return undefined;
    return kernelTlsMissing(this._side, reason);
  }

  /** @internal Remembers where the connection stood, which is about to be closed. */
  protected _rememberKtls(connection: Connection): void {
    if (!this.#ktlsSettled) this._settleKtls(connection);
    this.#ktlsSettled = true;
  }

  /** @internal Whether the kernel can be given other keys. */
  protected get _canRekey(): boolean {
    return this.#ktlsIntent?.ktlsPlan.request?.canRekey ?? false;
  }

  /** Whether the kernel does the record layer, by direction, and why not. */
  get ktls(): KtlsStatus {
    if (!this.#ktlsSettled && this._connection !== undefined) this._settleKtls(this._connection);
    return this.#ktls;
  }

  /** Whether the kernel does the record layer in both directions. */
  get ktlsActive(): boolean {
    const { tx, rx } = this.ktls;
    return tx && rx;
  }

  /** Whether protocol and cipher suite are ones that the kernel can take. */
  get ktlsEligibility(): KtlsEligibility {
    return (this.#eligibility ??= this.#judgeEligibility()) as KtlsEligibility;
  }

  #judgeEligibility(): KtlsEligibility | undefined {
    if (this._details === undefined) return undefined;
    const { protocol, cipher } = this._details.agreement;
    return ktlsEligibility(protocol, cipher ?? '');
  }
}
