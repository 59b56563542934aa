/** The client of a measurement: what it takes is not counted. */
import { once } from 'node:events';
import * as net from 'node:net';
import { ClientConfig, TlsConnector } from '@node-aws-lc/core';
import { BODY } from '../peers/responder';
import { PIN } from '../runner/scenario';
import { WAYS, type Row } from './rows';

const CHUNK = Buffer.alloc(64 * 1024, 'a');
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';

/** Connects to the server of a row; in userspace always, whatever the server does. */
export async function connectTo(row: Row, port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  if (WAYS[row.way].tls === 'none') {
    await once(socket, 'connect');
    return socket;
  }
  const connector = new TlsConnector(
    new ClientConfig({
      rejectUnauthorized: false,
      cipherSuites: [PIN.suite],
      groups: [PIN.group],
      ktls: 'off',
    }),
  );
  return connector.connect('localhost', socket);
}

/** Has the server do its work once; resolves when all of it has arrived. */
export async function transfer(socket: net.Socket, row: Row, units: number): Promise<void> {
  switch (row.work) {
    case 'download':
    case 'read-stream':
    case 'send-file': {
      const all = receive(socket, units);
      socket.write('?');
      return all;
    }
    case 'upload': {
      const answered = receive(socket, 1);
      for (let left = units; left > 0; left -= CHUNK.length) {
        if (!socket.write(CHUNK)) await once(socket, 'drain');
      }
      return answered;
    }
    case 'http':
      for (let left = units; left > 0; left -= 1) {
        const answered = receiveUntil(socket, BODY);
        socket.write(REQUEST);
        await answered;
      }
  }
}

function receive(socket: net.Socket, bytes: number): Promise<void> {
  let left = bytes;
  return new Promise((resolve) => {
    const take = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      if (left < 0) throw new Error(`the server sent ${-left} bytes too many`);
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take);
  });
}

function receiveUntil(socket: net.Socket, end: string): Promise<void> {
  let text = '';
  return new Promise((resolve) => {
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!text.endsWith(end)) return;
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take);
  });
}
