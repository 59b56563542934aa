import { ConfigError } from '../errors';

/** One block of a PEM text (RFC 7468). */
export interface PemBlock {
  label: string;
  /** The block with its boundaries, as it stood. */
  text: string;
  /** Decoded contents; empty for blocks with headers (RFC 1421), which hold encrypted data. */
  der: Buffer;
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/;
/** Of UTF-8, its bytes taken for characters: what some editors put in front of a file. */
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Whether bytes look like PEM rather than DER. */
export function isPem(data: Uint8Array): boolean {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes('-----BEGIN ');
}

/**
 * Splits a PEM text into its blocks. Text before and between the blocks is explanatory and ignored, as RFC 7468 asks;
 * after the last one only blank lines and comments may follow, because a truncated or doubled paste hides there.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_PEM
 */
export function parsePem(text: string, option: string): PemBlock[] {
  const fail = (detail: string, line: number, reason = 'no start line'): never => {
    const where = `${detail} (line ${line + 1})`;
    throw new ConfigError('ERR_AWS_LC_CONFIG_PEM', option, where, undefined, reason);
  };
  const lines = text.replace(BYTE_ORDER_MARK, '').split(/\r\n|\r|\n/);
  const blocks: PemBlock[] = [];
  let lastEnd = -1;
  for (let i = 0; i < lines.length; i++) {
    const line = (lines[i] as string).trim();
    if (!line.includes('-----BEGIN')) {
      if (line.includes('-----END')) fail('an END without its BEGIN', i);
      continue;
    }
    const label = BEGIN.exec(line)?.[1] ?? fail('a damaged BEGIN line', i);
    const end = `-----END ${label}-----`;
    const start = i;
    const body: string[] = [];
    let hasHeaders = false;
    for (i++; ; i++) {
      if (i >= lines.length) fail(`the block ${label} has no end`, start, 'bad end line');
      const bodyLine = (lines[i] as string).trim();
      if (bodyLine === end) break;
      if (bodyLine.includes('-----')) fail(`the block ${label} has no end`, start, 'bad end line');
      if (bodyLine.includes(':')) hasHeaders = true;
      body.push(bodyLine);
    }
    const base64 = body.join('');
    if (!hasHeaders && (!BASE64.test(base64) || base64.length % 4 !== 0 || base64.length === 0)) {
      fail(`the block ${label} is not base64`, start, 'bad base64 decode');
    }
    const der = hasHeaders ? Buffer.alloc(0) : Buffer.from(base64, 'base64');
    blocks.push({ label, der, text: lines.slice(start, i + 1).join('\n') + '\n' });
    lastEnd = i;
  }
  if (lastEnd < 0) fail('there is no PEM block', 0);
  const trailing = lines.findIndex((line, i) => i > lastEnd && !/^\s*(#.*)?$/.test(line));
  if (trailing >= 0) fail('something follows the last block', trailing);
  return blocks;
}
