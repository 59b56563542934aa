import * as native from '@node-aws-lc/native';
import { TlsStream } from './tls-stream';

// Native code calls these with the stream as `this`: registered once, because looking a method up by name on every
// event costs more than calling it.
// Each is called with a stream as `this`, which is what the rule asks for and cannot see.
/* eslint-disable @typescript-eslint/unbound-method */
const { prototype } = TlsStream;
native.setCallbacks<TlsStream>({
  onHandshake: prototype.onHandshake,
  onQuestion: prototype.onQuestion,
  onRead: prototype.onRead,
  onEnd: prototype.onEnd,
  onWritten: prototype.onWritten,
  onError: prototype.onError,
  onOutput: prototype.onOutput,
  onSession: prototype.onSession,
  onPlaintextEnd: prototype.onPlaintextEnd,
  onKeyLog: prototype.onKeyLog,
  onTrace: prototype.onTrace,
});
