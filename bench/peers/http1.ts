/** A bare HTTP/1.1 server: `settings.bytes` in every response, or the file at `settings.file`. */
import { createReadStream, statSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import { createSecureServer } from '@node-aws-lc/core';
import {
  listen,
  pinnedForNode,
  pinnedForOurs,
  servePeer,
  type PeerSetup,
} from '../runner/peer-process';
import { bodyOf } from './body';
import { collect } from './collect';

function bytesSender(bytes: number): RequestListener {
  const body = bodyOf(bytes);
  return (_request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.setHeader('content-length', body.length);
    response.end(body);
  };
}

function fileSender(path: string): RequestListener {
  return (_request, response) => {
    response.setHeader('content-length', statSync(path).size);
    createReadStream(path).pipe(response);
  };
}

servePeer((setup: PeerSetup) => {
  const { file, bytes } = setup.settings;
  const respond = typeof file === 'string' ? fileSender(file) : bytesSender(Number(bytes));
  if (setup.stack === 'plain') return listen(http.createServer(respond));
  if (setup.stack === 'node') return listen(https.createServer(pinnedForNode(setup), respond));
  const options = { ...pinnedForOurs(setup), ALPNProtocols: ['http/1.1' as const] };
  return listen(createSecureServer(options, respond));
}, collect);
