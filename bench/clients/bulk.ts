/** Takes in or sends bytes on one connection; a unit is a MiB, a latency is that of one of them. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connected, printedTally, task } from './task';

const MIB = 1 << 20;

/** Makes of bytes that come in pieces the time that each MiB took. */
function mibs(): (bytes: number) => void {
  const tally = printedTally();
  let last = performance.now();
  let bytes = 0;
  return (more) => {
    bytes += more;
    if (bytes < MIB) return;
    const now = performance.now();
    tally.add(bytes / MIB, (now - last) / (bytes / MIB));
    [last, bytes] = [now, 0];
  };
}

async function download(stream: Duplex): Promise<void> {
  stream.write('download');
  await once(stream, 'readable');
  const count = mibs();
  stream.on('data', (piece: Buffer) => count(piece.length));
}

/** One byte first, of its own, since the server looks at what comes first. */
function upload(stream: Duplex): void {
  const piece = Buffer.alloc(Number(task.parameters.write), 'x');
  const count = mibs();
  const written = () => count(piece.length);
  const go = () => {
    while (stream.write(piece, written));
  };
  stream.write('u', () => go());
  stream.on('drain', go);
}

/** GETs of `/`, each after the one before, whose answers have `parameters.bytes` of body. */
function get(stream: Duplex): void {
  const size = Number(task.parameters.bytes);
  const count = mibs();
  let body = -1; // bytes of the body so far; below 0: still in the head
  let head = '';
  const request = () => stream.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  stream.on('data', (piece: Buffer) => {
    count(piece.length);
    if (body < 0) {
      head += piece.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head.slice(0, end));
      body = head.length - end - 4;
      head = '';
    } else body += piece.length;
    if (body > size) throw new Error(`${body} bytes of ${size}`);
    if (body < size) return;
    body = -1;
    request();
  });
  request();
}

const MODES = { download, upload, get };

async function main(): Promise<void> {
  const stream = await connected();
  await MODES[task.parameters.mode as keyof typeof MODES](stream);
}

void main();
