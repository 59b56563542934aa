/** libuv's thread pool, with all of its threads busy for as long as a test wants. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';

const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);

/**
 * Keeps each thread of the pool waiting, without using the processor, until the function that is answered is called or
 * the test ends. What is queued meanwhile waits behind.
 */
export function occupyThreadPool(t: Test): () => Promise<void> {
  const pipe = path.join(t.testdir({}), 'nobody-writes-this');
  spawnSync('mkfifo', [pipe]);
  // Opening a FIFO waits for the other end.
  const waiting = Array.from({ length: threads }, async () =>
    (await fs.promises.open(pipe)).close(),
  );
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    released ??= (async () => {
      const writer = fs.openSync(pipe, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
      await Promise.all(waiting);
      fs.closeSync(writer);
    })();
    return released;
  };
  t.teardown(release);
  return release;
}
