/** The body of every response: text where it is small, as services send it, else bytes. */
export function bodyOf(bytes: number): string | Buffer {
  return bytes < 1024 ? 'x'.repeat(bytes) : Buffer.alloc(bytes, 'x');
}
