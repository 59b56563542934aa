/**
 * A WebSocket of the package ws over AWS-LC: sends one message, prints the answer.
 *
 *     node examples/dist/websocket-client.js wss://localhost:8443/ examples/.certificate/ca.pem
 */
import { createHttpsAgent } from '@node-aws-lc/undici-connector';
import { WebSocket } from 'ws';

const [address = 'wss://localhost:8443/', caFile] = process.argv.slice(2);
const agent = createHttpsAgent({ caFile });

const socket = new WebSocket(address, { agent });
socket.on('open', () => socket.send('hello'));
socket.on('message', (data: Buffer) => {
  console.log(data.toString());
  socket.close();
});
socket.on('error', (error) => {
  console.error(error);
  process.exitCode = 1;
});
