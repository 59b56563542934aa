/** Node's own HTTP clients, so that the examples are not their own judges. */
import { connect } from 'node:http2';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { within } from '../helpers/wait.js';

/** Gets a JSON document from a local port over HTTP/1.1. */
export function getOverHttp1(port: number, ca: string): Promise<unknown> {
  const answered = new Promise<unknown>((resolve, reject) => {
    const options = { host: 'localhost', port, ca, agent: false };
    request(options, (response) => void json(response).then(resolve, reject))
      .on('error', reject)
      .end();
  });
  return within('an HTTP/1.1 response', answered);
}

/** Gets a JSON document from a local port over h2. */
export async function getOverHttp2(port: number, ca: string): Promise<unknown> {
  const session = connect(`https://localhost:${port}`, { ca });
  const answered = new Promise<unknown>((resolve, reject) => {
    session.once('error', reject);
    json(session.request({ ':path': '/' })).then(resolve, reject);
  });
  try {
    return await within('an h2 response', answered);
  } finally {
    session.close();
  }
}
