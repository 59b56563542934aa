import type { RequestListener } from 'node:http';

/** The body of every small response. */
export const BODY = 'hello world\n';

/** Answers every request with `BODY`. */
export const respond: RequestListener = (_request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.setHeader('content-length', BODY.length);
  response.end(BODY);
};
