/**
 * One process of a fleet: TLS on a given port, ticket keys shared through Redis.
 *
 *     fleet-member <port> <port of Redis> <milliseconds a ticket key seals>; key and chain on standard input as JSON
 */
import { redisTicketKeys, ServerConfig, TicketKeyRotation, TlsAcceptor } from '@node-aws-lc/core';
import { Redis } from 'ioredis';
import net from 'node:net';
import { json } from 'node:stream/consumers';

async function main(): Promise<void> {
  const [port, redisPort, interval] = process.argv.slice(2).map(Number) as [number, number, number];
  const { key, cert } = (await json(process.stdin)) as { key: string; cert: string };
  const redis = new Redis(redisPort, '127.0.0.1', { retryStrategy: () => 100 });
  redis.on('error', () => {});
  const rotation = new TicketKeyRotation(redisTicketKeys(redis), {
    interval,
    pollInterval: 200,
    timeout: 500,
  });
  rotation.on('change', () => console.log('change'));
  rotation.on('available', () => console.log('available'));
  await rotation.ready;

  const acceptor = new TlsAcceptor(new ServerConfig({ key, cert, ticketKeys: rotation.keys }));
  const serve = async (socket: net.Socket): Promise<void> => {
    try {
      const stream = await acceptor.accept(socket);
      stream.on('error', () => {}).end(String(process.pid));
    } catch (error) {
      console.log(`failed: ${String(error)}`);
    }
  };
  net
    .createServer((socket) => void serve(socket))
    .listen(port, '127.0.0.1', () => {
      console.log('serving');
    });
}

void main();
