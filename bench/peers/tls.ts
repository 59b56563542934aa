import { createServer } from 'node:tls';
import { listen, pinnedForNode, servePeer } from '../runner/peer-process';
import { greet } from './greet';

servePeer((credentials) => {
  const server = createServer(pinnedForNode(credentials), greet);
  server.on('tlsClientError', (error) => console.error(error));
  return listen(server);
});
