/** An h2 server that answers every request with `settings.bytes`. */
import http2 from 'node:http2';
import net from 'node:net';
import { http2Socket, ServerConfig, TlsAcceptor } from '@node-aws-lc/core';
import { listen, pinnedForNode, pinnedForOurs, servePeer } from '../runner/peer-process';
import { bodyOf } from './body';
import { collect } from './collect';

servePeer((setup) => {
  const body = bodyOf(Number(setup.settings.bytes));
  const onStream = (stream: http2.ServerHttp2Stream) => {
    stream.on('error', () => {}); // The client leaves in the middle.
    stream.respond({ ':status': 200, 'content-type': 'text/plain', 'content-length': body.length });
    stream.end(body);
  };
  if (setup.stack === 'plain') return listen(http2.createServer().on('stream', onStream));
  if (setup.stack === 'node') {
    return listen(http2.createSecureServer(pinnedForNode(setup)).on('stream', onStream));
  }
  const config = new ServerConfig({ ...pinnedForOurs(setup), ALPNProtocols: ['h2'] });
  const acceptor = new TlsAcceptor(config);
  const sessions = http2.createServer().on('stream', onStream);
  const onConnection = (socket: net.Socket) => {
    acceptor.accept(socket).then(
      (stream) => sessions.emit('connection', http2Socket(stream)),
      (error: unknown) => console.error(error),
    );
  };
  return listen(net.createServer({ allowHalfOpen: true, noDelay: true }, onConnection));
}, collect);
