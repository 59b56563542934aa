/** What comes out of a guest: its console on the descriptors 1 and 2, its command's output on 3 and 4. */

/**
 * Hands the command's output on, and keeps the kernel's last words: returns a function that tells
 * them.
 *
 * @param show whether the kernel's words go to stderr as well
 */
export function handOn(kernel, show) {
  let log = '';
  const collect = (chunk) => {
    log = (log + chunk).slice(-8192);
    if (show) process.stderr.write(chunk);
  };
  kernel.stdout.setEncoding('utf8').on('data', collect);
  kernel.stderr.setEncoding('utf8').on('data', collect);
  kernel.stdio[3]?.pipe(process.stdout, { end: false });
  kernel.stdio[4].pipe(process.stderr, { end: false });
  return () => log;
}
