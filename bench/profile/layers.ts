import type { Frame } from './stacks';

const COLLECTOR =
  /^v8::internal::.*(Marking|MarkCompact|Sweeper|Scaveng|Evacuat|CollectGarbage|ArrayBufferSweep)/;
const OPENSSL =
  /^_?(aes|AES|ossl_|EVP_|evp_|CRYPTO_|BN_|bn_|ssl|SSL|tls1?3?_|sha\d|SHA\d|poly1305|Poly1305|ChaCha20|x25519|ec_|EC_|ecp_|BIO_|bio_|ASN1|asn1|RSA_|rsa|gcm_|ghash|gcm|ERR_|OPENSSL_|CMAC|HMAC|hmac)/;

/** Whose code a sample ran in: the layers of a server, from the bottom. */
export function layerOf(stack: Frame[]): string {
  const { symbol, object } = stack[0]!;
  if (object.startsWith('[kernel') || object === '[vdso]') return 'kernel';
  if (stack.some((frame) => COLLECTOR.test(frame.symbol))) return 'garbage collection';
  if (object === 'aws_lc.node') {
    return /^(non-virtual thunk to )?(aws_lc::|Napi|napi)/.test(symbol) ? 'addon' : 'AWS-LC';
  }
  if (/^perf-\d+\.map$/.test(object) || /^(JS:|Builtins_)/.test(symbol)) return 'JavaScript';
  if (object.startsWith('libc.') || object.startsWith('libstdc++')) return 'libc';
  if (OPENSSL.test(symbol)) return 'OpenSSL';
  return symbol.startsWith('v8::') ? 'V8' : 'Node';
}

/** The share of each of what `name` says of the stacks, the largest first. */
export function shares(stacks: Frame[][], name: (stack: Frame[]) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const stack of stacks) counts.set(name(stack), (counts.get(name(stack)) ?? 0) + 1);
  return [...counts]
    .map(([key, count]): [string, number] => [key, count / stacks.length])
    .sort((a, b) => b[1] - a[1]);
}
