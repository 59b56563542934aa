import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { ServerConfig, TlsAcceptor } from '@node-aws-lc/core';
import { listen, pinnedForOurs, servePeer } from '../runner/peer-process';
import { respond } from './responder';

// As in examples/http-server.ts.
servePeer((credentials) => {
  const acceptor = new TlsAcceptor(new ServerConfig(pinnedForOurs(credentials)));
  const server = createServer(respond);
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    acceptor.accept(socket).then(
      (stream) => {
        for (const listener of listeners) listener.call(server, stream);
      },
      (error: unknown) => console.error(error),
    );
  });
  return listen(server);
});
