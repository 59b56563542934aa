/** The server of one measurement, a process of its own: what it takes is what is counted. */
import { closeSync, createReadStream, openSync, readFileSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { type KtlsMode, ServerConfig, TlsAcceptor, TlsStream } from '@node-aws-lc/core';
import { respond } from '../peers/responder';
import { listen, pinnedForNode, pinnedForOurs, type Credentials } from '../runner/peer-process';
import type { Answer, ServerTask } from './messages';
import { WAYS, type Way, type Work } from './rows';

const task = JSON.parse(process.argv[2] ?? '') as ServerTask;
const way: Way = WAYS[task.row.way];
const credentials = {
  key: readFileSync(task.key, 'utf8'),
  cert: readFileSync(task.cert, 'utf8'),
};
let connection: net.Socket | undefined;

const WRITE = Buffer.alloc(64 * 1024, 'a');

/** Each serves one request of the client, which is one byte or, for `upload`, all of them. */
const serve: Record<Exclude<Work, 'http'>, (socket: net.Socket) => void> = {
  download(socket) {
    socket.on('data', () => writeAll(socket, task.units));
  },
  upload(socket) {
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received < task.units) return;
      received -= task.units;
      socket.write('.');
    });
  },
  'read-stream'(socket) {
    const file = makeFile();
    socket.on('data', () => createReadStream(file).pipe(socket, { end: false }));
  },
  'send-file'(socket) {
    const descriptor = openSync(makeFile(), 'r');
    socket.on('data', () => {
      (socket as TlsStream).sendFile(descriptor).catch(fail);
    });
    socket.on('close', () => closeSync(descriptor));
  },
};

function writeAll(socket: net.Socket, bytes: number): void {
  let left = bytes;
  const write = (): void => {
    while (left > 0) {
      left -= WRITE.length;
      if (!socket.write(WRITE)) break;
    }
    if (left > 0) socket.once('drain', write);
  };
  write();
}

/** In memory, as all that the guest has. */
function makeFile(): string {
  const file = join(tmpdir(), 'node-aws-lc-bench-file');
  writeFileSync(file, Buffer.alloc(task.units, 'a'));
  return file;
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

function serverFor(): net.Server {
  if (task.row.work === 'http') return httpServer();
  const handle = serve[task.row.work];
  const onConnection = (socket: net.Socket): void => {
    connection = socket;
    socket.on('error', fail);
    handle(socket);
  };
  switch (way.tls) {
    case 'none':
      return net.createServer({ noDelay: true }, onConnection);
    case 'node':
      return tls.createServer({ ...pinnedForNode(credentials), noDelay: true }, onConnection);
    case 'ours':
      return ourServer(onConnection);
  }
}

function httpServer(): net.Server {
  const remember = (socket: net.Socket): unknown => (connection = socket);
  switch (way.tls) {
    case 'none':
      return http.createServer(respond).on('connection', remember);
    case 'node':
      return https
        .createServer(pinnedForNode(credentials), respond)
        .on('secureConnection', remember);
    case 'ours': {
      const server = http.createServer(respond);
      const listeners = server.listeners('connection');
      server.removeAllListeners('connection');
      return accepting(server, (stream) => {
        remember(stream);
        for (const listener of listeners) listener.call(server, stream);
      });
    }
  }
}

function ourServer(onConnection: (socket: net.Socket) => void): net.Server {
  return accepting(net.createServer({ noDelay: true }), onConnection);
}

function accepting(server: net.Server, onStream: (stream: TlsStream) => void): net.Server {
  const acceptor = new TlsAcceptor(new ServerConfig(optionsForOurs(credentials)));
  return server.on('connection', (socket: net.Socket) => {
    acceptor.accept(socket).then(onStream).catch(fail);
  });
}

function optionsForOurs(files: Credentials) {
  const mode = (wanted: boolean | undefined): KtlsMode => (wanted ? 'require' : 'off');
  const { tx, rx } = way.ktls ?? {};
  return { ...pinnedForOurs(files), ktls: { tx: mode(tx), rx: mode(rx) } };
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const ktls = connection instanceof TlsStream ? connection.ktls : { tx: false, rx: false };
  answer({ cpu: { user, system }, ktls });
});
process.once('disconnect', () => process.exit());

function answer(what: Answer): void {
  process.send?.(what);
}

listen(serverFor()).then((port) => answer({ port }), fail);
