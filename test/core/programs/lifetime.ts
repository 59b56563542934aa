/**
 * Makes one connection and lets the process end by itself. Argument: what becomes of the
 * connection. Prints what happened on the way.
 */
import { once } from 'node:events';
import { connectedPair } from './states.js';

const fates: Record<string, () => Promise<void>> = {
  async closed() {
    const { client, server } = await connectedPair();
    server.resume().on('end', () => server.end());
    client.end();
    await once(client.resume(), 'close');
    console.log('closed');
  },
  async destroyed() {
    const { client, server } = await connectedPair();
    client.destroy();
    server.destroy();
  },
  async unreferenced() {
    const { client, server } = await connectedPair();
    client.resume().unref();
    server.resume().unref();
  },
  async referenced() {
    const { client, server } = await connectedPair();
    server.resume().unref();
    client.resume().unref().ref();
    setTimeout(() => client.destroy(), 300).unref();
    client.on('close', () => console.log('still there until it was destroyed'));
  },
};

void fates[process.argv[2]!]!();
