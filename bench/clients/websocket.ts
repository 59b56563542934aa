/** Sends a message on each of some WebSockets and waits for it to come back, again and again. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { printedTally, task } from './task';

async function main(): Promise<void> {
  const { connections, bytes } = task.parameters;
  const url = `${task.tls ? 'wss' : 'ws'}://127.0.0.1:${task.port}/`;
  const open = Array.from({ length: Number(connections) }, async () => {
    const socket = new WebSocket(url, { rejectUnauthorized: false, perMessageDeflate: false });
    await once(socket, 'open');
    return socket;
  });
  const sockets = await Promise.all(open);
  const tally = printedTally();
  const message = Buffer.alloc(Number(bytes), 'x');
  for (const socket of sockets) {
    let begin = performance.now();
    socket.on('message', (data: Buffer) => {
      if (data.length !== message.length) throw new Error(`${data.length} bytes came back`);
      const now = performance.now();
      tally.add(1, now - begin);
      begin = now;
      socket.send(message);
    });
    socket.send(message);
  }
}

void main();
