import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { ConfigError } from '../errors';

/**
 * Checks the name of a server and brings it into the form that goes on the wire: ASCII, without a trailing dot
 * (RFC 6066, section 3). IP literals are left as they are.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_SERVER_NAME
 */
export function toServerName(name: unknown, option = 'serverName'): string {
  const fail = (detail: string): never => {
    throw new ConfigError('ERR_AWS_LC_CONFIG_SERVER_NAME', option, detail);
  };
  if (typeof name !== 'string') return fail('expected a string');
  if (name === '') return fail('it is empty');
  if (name.includes('\0')) return fail('it contains NUL');
  if (isIP(name)) return name;
  // eslint-disable-next-line no-control-regex -- exactly the characters that need IDNA
  const ascii = /[^\x00-\x7f]/.test(name) ? domainToASCII(name) : name;
  const bare = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  if (bare === '' || bare.length > 253 || /[\s/\\:@?#[\]]/.test(bare)) {
    return fail('it is no host name');
  }
  return bare;
}
