import { domainToASCII } from 'node:url';
import { ConfigError } from '../errors';
import type { ServerConfig } from './server-config';

interface Entry {
  source: string;
  pattern: RegExp;
  config: ServerConfig;
}

const LABEL = /^[a-z0-9_*-]{1,63}$/;

/** Checks a pattern and brings it into the form in which names come over the wire. */
function toPattern(pattern: unknown): string {
  const fail = (detail: string): never => {
    throw new ConfigError('ERR_AWS_LC_CONFIG_SERVER_NAME', 'pattern', detail);
  };
  if (typeof pattern !== 'string') return fail('expected a string');
  // eslint-disable-next-line no-control-regex -- exactly the characters that need IDNA
  const ascii = (/[^\x00-\x7f]/.test(pattern) ? domainToASCII(pattern) : pattern).toLowerCase();
  const labels = ascii.replace(/\.$/, '').split('.');
  if (ascii.length > 253 || !labels.every((label) => LABEL.test(label))) {
    return fail(`${JSON.stringify(pattern)} can match no server name`);
  }
  return labels.join('.');
}

/**
 * Configurations by the name that a client asks for (SNI, RFC 6066), matched as `node:tls` matches `addContext`: a `*`
 * stands for any characters of one label, and what was added last is looked at first. Upper and lower case are the same,
 * which they are not in `node:tls`.
 *
 * ```ts
 * const names = new ServerNames();
 * names.add('*.example.com', new ServerConfig({ key, cert }));
 * new ServerConfig({ key, cert, SNICallback: (name) => names.resolve(name) });
 * ```
 */
export class ServerNames {
  readonly #entries: Entry[] = [];

  /**
   * Adds a configuration, or exchanges the one that was added for the same pattern.
   *
   * @param pattern a host name, in which `*` stands for any characters but a dot
   * @throws ConfigError ERR_AWS_LC_CONFIG_SERVER_NAME where the pattern can match nothing
   */
  add(pattern: string, config: ServerConfig): this {
    this.replace(pattern, config);
    return this;
  }

  /** @internal As `add()`, and answers the configuration that nobody is served with any more, if there is one. */
  replace(pattern: string, config: ServerConfig): ServerConfig | undefined {
    const source = toPattern(pattern).replaceAll('.', '\\.').replaceAll('*', '[^.]*');
    const index = this.#entries.findIndex((entry) => entry.source === source);
    const [before] = index < 0 ? [] : this.#entries.splice(index, 1);
    this.#entries.unshift({ source, pattern: new RegExp(`^${source}$`), config });
    return before?.config;
  }

  /** The configuration for a name, or undefined where none was added for it. */
  resolve(name: string): ServerConfig | undefined {
    const wanted = name.toLowerCase();
    return this.#entries.find(({ pattern }) => pattern.test(wanted))?.config;
  }
}
