/**
 * Requests of node:http2 for those who wrote for node:http.
 *
 * node:http2's compatibility objects have the interface of node:http's, with two exceptions. Express,
 * and what is built on it, gives every request and response another prototype, made from node:http's:
 * the interface of a class is gone then, unless the object has it itself. And what h2 says by other
 * means has no header where all look for it: the host, and that a body follows.
 */
import type * as http2 from 'node:http2';

type Descriptors = Record<PropertyKey, PropertyDescriptor>;

/** Of each class, what the objects of node:http have by another prototype. */
const known = new WeakMap<object, Descriptors>();

/** Makes the two pass for objects of node:http. */
export function likeHttp1(
  request: http2.Http2ServerRequest,
  response: http2.Http2ServerResponse,
): void {
  const { headers, stream } = request;
  // What a message has when it is turned into one of HTTP/1.1: RFC 9113, section 8.3.1, and RFC 9112,
  // section 6.3.
  headers.host ??= headers[':authority'];
  if (!stream.endAfterHeaders && headers['content-length'] === undefined) {
    headers['transfer-encoding'] ??= 'chunked';
  }
  Object.defineProperties(request, interfaceOf(request));
  Object.defineProperties(response, interfaceOf(response));
}

/** What the object's class has that a stream has not: that much every prototype of node:http keeps. */
function interfaceOf(object: object): Descriptors {
  const prototype = Object.getPrototypeOf(object) as object;
  let found = known.get(prototype);
  if (found === undefined) {
    found = Object.getOwnPropertyDescriptors(prototype);
    Reflect.deleteProperty(found, 'constructor');
    known.set(prototype, found);
  }
  return found;
}
