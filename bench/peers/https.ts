import { createServer } from 'node:https';
import { listen, pinnedForNode, servePeer } from '../runner/peer-process';
import { respond } from './responder';

servePeer((credentials) => listen(createServer(pinnedForNode(credentials), respond)));
