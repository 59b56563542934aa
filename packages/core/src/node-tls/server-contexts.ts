import { withCode } from './node-errors';
import type { SecureContext } from './secure-context';

/**
 * Contexts by server name, as `addContext` adds them: `*` stands for any characters but a dot, and what was added last is
 * looked at first. Upper and lower case are the same, as names are.
 */
export class ServerContexts {
  readonly #entries: { source: string; pattern: RegExp; context: SecureContext }[] = [];

  /**
   * Adds a context, or exchanges the one of the same name: certificates are renewed in this way.
   *
   * @throws Error ERR_TLS_REQUIRED_SERVER_NAME
   */
  add(servername: string, context: SecureContext): void {
    if (!servername) {
      const message = '"servername" is required parameter for Server.addContext';
      throw withCode(new Error(message), 'ERR_TLS_REQUIRED_SERVER_NAME');
    }
    const source = servername.replace(/[.^$+?\-\\[\]{}()|]/g, '\\$&').replaceAll('*', '[^.]*');
    const index = this.#entries.findIndex((entry) => entry.source === source);
    if (index >= 0) this.#entries.splice(index, 1);
    this.#entries.unshift({ source, pattern: new RegExp(`^${source}$`, 'i'), context });
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** The context for a name, or undefined where none was added for it. */
  find(servername: string): SecureContext | undefined {
    return this.#entries.find(({ pattern }) => pattern.test(servername))?.context;
  }
}
