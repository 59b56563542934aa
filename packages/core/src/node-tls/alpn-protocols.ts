import { outOfRange } from './node-errors';

/**
 * Writes ALPN protocols in wire format (RFC 7301, section 3.1) to `out.ALPNProtocols`, as `tls.convertALPNProtocols`.
 *
 * @param protocols names, or the wire format itself; anything else is ignored
 * @throws RangeError ERR_OUT_OF_RANGE for a name of more than 255 bytes
 */
export function convertALPNProtocols(
  protocols: readonly string[] | NodeJS.ArrayBufferView,
  out: { ALPNProtocols?: Uint8Array | readonly string[] | undefined },
): void {
  if (Array.isArray(protocols)) {
    out.ALPNProtocols = Buffer.concat(protocols.map(encode));
  } else if (ArrayBuffer.isView(protocols)) {
    const { buffer, byteOffset, byteLength } = protocols;
    // A copy: what the caller does to his own later is not meant for us.
    out.ALPNProtocols = Buffer.from(Buffer.from(buffer, byteOffset, byteLength));
  }
}

function encode(name: string, index: number): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length > 255) {
    const what = `The byte length of the protocol at index ${index} exceeds the maximum length.`;
    throw outOfRange(what, '<= 255', bytes.length);
  }
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
