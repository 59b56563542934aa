/** Sends every WebSocket message back. */
import http from 'node:http';
import https from 'node:https';
import { createSecureServer } from '@node-aws-lc/core';
import { WebSocketServer } from 'ws';
import {
  listen,
  pinnedForNode,
  pinnedForOurs,
  servePeer,
  type PeerSetup,
} from '../runner/peer-process';

function httpServer(setup: PeerSetup): http.Server {
  if (setup.stack === 'plain') return http.createServer();
  if (setup.stack === 'node') return https.createServer(pinnedForNode(setup));
  return createSecureServer({ ...pinnedForOurs(setup), ALPNProtocols: ['http/1.1'] });
}

servePeer((setup) => {
  const server = httpServer(setup);
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('error', () => {}); // The client leaves in the middle.
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
  });
  return listen(server);
});
