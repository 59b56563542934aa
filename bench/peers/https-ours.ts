import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { ServerConfig, TlsAcceptor } from '@node-aws-lc/core';
import { listen, pinnedForOurs, servePeer } from '../runner/peer-process';
import { respond } from './responder';

servePeer((credentials) => {
  const acceptor = new TlsAcceptor(new ServerConfig(pinnedForOurs(credentials)));
  const http = createHttpServer(respond);
  const onConnection = (socket: Socket) => {
    acceptor.accept(socket).then(
      (stream) => http.emit('connection', stream),
      (error: unknown) => console.error(error),
    );
  };
  return listen(createServer(onConnection));
});
