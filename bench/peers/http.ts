import { createServer } from 'node:http';
import { listen, servePeer } from '../runner/peer-process';
import { respond } from './responder';

servePeer(() => listen(createServer(respond)));
