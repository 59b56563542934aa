import { createServer } from 'node:net';
import { listen, servePeer } from '../runner/peer-process';
import { greet } from './greet';

servePeer(() => listen(createServer(greet)));
