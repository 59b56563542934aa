import { EventEmitter } from 'node:events';
import { watch, type FSWatcher } from 'node:fs';
import { inspect } from 'node:util';
import { refuseContents } from '../config/material';
import { ConfigError } from '../errors';
import {
  checkPair,
  isSamePair,
  readPair,
  readPairSync,
  type CertificateMaterial,
  type CertificatePaths,
} from './pair';
import { isRemote, watchedDirectories } from './watched-paths';

/** What to watch. */
export interface WatchCertificatesOptions extends CertificatePaths {
  /** For an encrypted key. */
  passphrase?: string | undefined;
  /**
   * Milliseconds between looks at the files that nothing has announced. Default: 1000 where inotify(7) cannot reach
   * (network file systems, FUSE, or no watches left), else 30 000.
   */
  pollInterval?: number | undefined;
}

/** Milliseconds without another event before the files are read. */
const SETTLE = 40;
/** Milliseconds for which a writer may go on before the files are read regardless. */
const SETTLE_AT_MOST = 200;
/** Milliseconds between looks at a pair that is bad now, which half-written files are. */
const RETRY = 100;
/** Milliseconds for which a pair must stay bad, unchanged, before anybody is told. */
const GRACE = 1000;
const POLL_REMOTE = 1000;
const POLL_LOCAL = 30_000;

/**
 * A pair of files that may be exchanged at any time. Emits 'change' with the contents of a new pair, which has been
 * checked, and 'error' once for each bad one, which is passed over. Neither its timers nor its watches keep the process
 * alive.
 */
export class CertificateWatcher extends EventEmitter<{
  change: [CertificateMaterial];
  error: [Error];
}> {
  readonly #paths: CertificatePaths;
  readonly #passphrase: string | undefined;
  readonly #pollInterval: number | undefined;
  readonly #watches = new Map<string, FSWatcher>();
  #current: CertificateMaterial;
  /** What is bad, since when, and whether anybody was told. */
  #bad:
    | { material: CertificateMaterial | undefined; message: string; since: number; told: boolean }
    | undefined;
  #unreached = false;
  #closed = false;
  #looking = false;
  #lookAgain = false;
  #firstEvent = 0;
  #lookTimer: NodeJS.Timeout | undefined;
  #pollTimer: NodeJS.Timeout | undefined;

  /** @internal */
  constructor(options: WatchCertificatesOptions) {
    super();
    const { key, cert, ca, passphrase, pollInterval } = options;
    this.#paths = { key, cert, ca };
    this.#passphrase = passphrase;
    this.#pollInterval = pollInterval;
    this.#current = readPairSync(this.#paths, passphrase);
    checkPair(this.#current);
    // What changes before the watches are there is found by the look that follows them.
    void this.#rewatch().then(() => this.#look());
  }

  /** The contents of the last good pair, for a configuration's options. */
  get current(): CertificateMaterial {
    return this.#current;
  }

  /** Watches no more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#pollTimer);
    for (const watcher of this.#watches.values()) watcher.close();
    this.#watches.clear();
  }

  #onEvent(): void {
    const now = Date.now();
    if (this.#firstEvent === 0) this.#firstEvent = now;
    this.#lookIn(Math.max(0, Math.min(SETTLE, this.#firstEvent + SETTLE_AT_MOST - now)));
  }

  #lookIn(delay: number): void {
    if (this.#closed) return;
    clearTimeout(this.#lookTimer);
    this.#lookTimer = setTimeout(() => void this.#look(), delay).unref();
  }

  /** One at a time: reading takes as long as it takes. */
  async #look(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    this.#firstEvent = 0;
    await this.#rewatch();
    const outcome = await this.#read();
    this.#looking = false;
    if (this.#closed) return;
    this.#plan();
    this.#conclude(outcome);
  }

  async #read(): Promise<{ material?: CertificateMaterial; error?: Error }> {
    let material: CertificateMaterial | undefined;
    try {
      material = await readPair(this.#paths, this.#passphrase);
      if (!isSamePair(material, this.#current)) checkPair(material);
      return { material };
    } catch (error) {
      return { ...(material && { material }), error: error as Error };
    }
  }

  #plan(): void {
    clearTimeout(this.#pollTimer);
    const interval = this.#pollInterval ?? (this.#unreached ? POLL_REMOTE : POLL_LOCAL);
    this.#pollTimer = setTimeout(() => void this.#look(), interval).unref();
    if (!this.#lookAgain) return;
    this.#lookAgain = false;
    this.#onEvent();
  }

  #conclude({ material, error }: { material?: CertificateMaterial; error?: Error }): void {
    if (error !== undefined) {
      this.#doubt(material, error);
      return;
    }
    this.#bad = undefined;
    if (material === undefined || isSamePair(material, this.#current)) return;
    this.#current = material;
    this.emit('change', material);
  }

  /** A pair whose files are exchanged one after the other is bad for a moment. */
  #doubt(material: CertificateMaterial | undefined, error: Error): void {
    const { message } = error;
    const isNews =
      this.#bad === undefined ||
      this.#bad.message !== message ||
      (material !== undefined &&
        this.#bad.material !== undefined &&
        !isSamePair(material, this.#bad.material));
    if (isNews) this.#bad = { material, message, since: Date.now(), told: false };
    const bad = this.#bad;
    if (bad === undefined || bad.told) return;
    if (Date.now() - bad.since < GRACE) {
      this.#lookIn(RETRY);
      return;
    }
    bad.told = true;
    this.emit('error', error);
  }

  /** Watches where the links lead now. */
  async #rewatch(): Promise<void> {
    const files = Object.values(this.#paths).filter((path) => path !== undefined) as string[];
    const wanted = new Set<string>();
    for (const file of files) {
      for (const directory of await watchedDirectories(file)) wanted.add(directory);
    }
    let unreached = false;
    for (const directory of wanted) {
      if (await isRemote(directory)) unreached = true;
    }
    if (this.#closed) return;
    for (const [directory, watcher] of this.#watches) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watches.delete(directory);
    }
    for (const directory of wanted) {
      if (!this.#watches.has(directory) && !this.#watch(directory)) unreached = true;
    }
    this.#unreached = unreached;
  }

  #watch(directory: string): boolean {
    const drop = (watcher: FSWatcher): void => {
      watcher.close();
      if (this.#watches.get(directory) === watcher) this.#watches.delete(directory);
    };
    try {
      const watcher = watch(directory, { persistent: false });
      watcher.on('change', (type, name) => {
        // The directory itself was moved away or removed; another one may take its place.
        if (type === 'rename' && directory.endsWith(`/${String(name)}`)) drop(watcher);
        this.#onEvent();
      });
      watcher.on('error', () => {
        drop(watcher);
        this.#onEvent();
      });
      this.#watches.set(directory, watcher);
      return true;
    } catch {
      // No such directory at the moment, or no watches left (inotify(7), max_user_watches): polling finds it.
      return false;
    }
  }

  [inspect.custom](): string {
    return `CertificateWatcher ${inspect(this.#paths)}`;
  }
}

/**
 * Watches the files of a certificate and its key, however they are exchanged: written in place, renamed, or by links of
 * which one on the way is exchanged (certbot, cert-manager). A new pair is there within a second.
 *
 * ```ts
 * const watcher = watchCertificates({ key: 'privkey.pem', cert: 'fullchain.pem' });
 * const acceptor = new TlsAcceptor(new ServerConfig(watcher.current));
 * watcher.on('change', (pair) => acceptor.setSecureContext(pair));
 * watcher.on('error', (error) => console.error('the new certificate is bad:', error.message));
 * ```
 *
 * @throws ConfigError if the pair that there is at the beginning is bad
 */
export function watchCertificates(options: WatchCertificatesOptions): CertificateWatcher {
  const given = options as Partial<Record<keyof WatchCertificatesOptions, unknown>> | null;
  if (given === null || typeof given !== 'object') {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'options', 'expected an object');
  }
  for (const name of ['key', 'cert', 'ca'] as const) {
    if (given[name] === undefined && name === 'ca') continue;
    if (typeof given[name] !== 'string' || given[name] === '') {
      throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', name, 'expected the path of a PEM file');
    }
    refuseContents(given[name], name);
  }
  const { pollInterval } = given;
  if (pollInterval !== undefined && !(typeof pollInterval === 'number' && pollInterval > 0)) {
    throw new ConfigError('ERR_AWS_LC_CONFIG_TYPE', 'pollInterval', 'expected milliseconds');
  }
  return new CertificateWatcher(options);
}
