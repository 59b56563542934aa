import { createServer, type Socket } from 'node:net';
import { ServerConfig, TlsAcceptor } from '@node-aws-lc/core';
import { listen, pinnedForOurs, servePeer } from '../runner/peer-process';
import { greet } from './greet';

servePeer((credentials) => {
  const acceptor = new TlsAcceptor(new ServerConfig(pinnedForOurs(credentials)));
  const onConnection = (socket: Socket) => {
    acceptor.accept(socket).then(greet, (error: unknown) => console.error(error));
  };
  return listen(createServer(onConnection));
});
