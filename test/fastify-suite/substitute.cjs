// Preloaded into each of Fastify's own test files: their servers are made by this library, and every
// client in the process speaks TLS where it would have spoken TCP to them.
'use strict';

const http = require('node:http');
const http2 = require('node:http2');
const Module = require('node:module');
const net = require('node:net');
const tls = require('node:tls');
const { URL } = require('node:url');
const { promisify } = require('node:util');

const { AWS_LC_FORM: form, AWS_LC_PLUGIN: plugin, AWS_LC_IDENTITY: identity } = process.env;
const { awsLcServerFactory, awsLcTls } = require(plugin);
const { key, cert } = JSON.parse(identity);

/** Ports on which a server of ours listens: of plaintext servers that a test has beside, nothing changes. */
const ours = new Set();
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  this.on('listening', () => {
    const address = this.address();
    if (this[isOurs] && typeof address === 'object') ours.add(address.port);
    else if (address) ours.delete(address.port);
  });
  return listen.apply(this, args);
};
const isOurs = Symbol('ours');

function substituted(fastify) {
  function make(options = {}) {
    const { https, serverFactory, ...rest } = options;
    delete rest.http2;
    if (serverFactory) return fastify(options);
    const own = typeof https === 'object' && https !== null ? https : {};
    const settings = { key, cert, ...own };
    delete settings.allowHTTP1;
    if (form === 'serverFactory') {
      const factory = awsLcServerFactory(settings);
      return fastify({
        ...rest,
        serverFactory: (...args) => Object.assign(factory(...args), { [isOurs]: true }),
      });
    }
    const app = fastify(rest);
    app.server[isOurs] = true;
    app.register(awsLcTls, settings);
    return app;
  }
  return Object.assign(make, fastify, { default: make, fastify: make });
}

const load = Module._load;
Module._load = function (request, parent, ...rest) {
  const loaded = load.call(this, request, parent, ...rest);
  const isTest = /[\\/]test[\\/]/.test(parent?.filename ?? '');
  const isFastify = /^(\.\.\/)+(fastify(\.js)?)?$|^\.\.(\/\.\.)*$/.test(request);
  return isTest && isFastify && typeof loaded === 'function' ? substituted(loaded) : loaded;
};

// --- clients -----------------------------------------------------------------------------------

/** What connects to a port: TLS where one of ours listens. */
function connect(original) {
  return function (...args) {
    const [options, callback] = net._normalizeArgs(args);
    if (!ours.has(Number(options.port)) || options.path) return original.apply(this, args);
    const socket = tls.connect({
      ...options,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    if (callback) socket.once('secureConnect', callback);
    return socket;
  };
}
net.connect = net.createConnection = connect(net.connect);
http.Agent.prototype.createConnection = connect(http.Agent.prototype.createConnection);
http.globalAgent.createConnection = http.Agent.prototype.createConnection;

/** What listen() said is an address of https:, which node:http would not take. */
for (const name of ['request', 'get']) {
  const original = http[name];
  http[name] = (address, ...args) => {
    const isAddress = typeof address === 'string' && ours.has(Number(new URL(address).port));
    return original(isAddress ? address.replace(/^https:/, 'http:') : address, ...args);
  };
}

/** h2 in plain text: Fastify's `http2: true` without `https`. */
const { connect: connectHttp2 } = http2;
http2.connect = (authority, ...args) => {
  const url = new URL(authority);
  if (!ours.has(Number(url.port))) return connectHttp2(authority, ...args);
  url.protocol = 'https:';
  const [options, ...rest] = typeof args[0] === 'object' ? args : [{}, ...args];
  return connectHttp2(url, { ...options, rejectUnauthorized: false }, ...rest);
};

http2.connect[promisify.custom] = (...args) =>
  new Promise((resolve, reject) => {
    const session = http2.connect(...args, () => resolve(session)).once('error', reject);
  });

/** fetch(), and undici's request() where a test has it. */
function dispatchOverTls(undici) {
  const plain = undici.buildConnector({});
  const secure = undici.buildConnector({ rejectUnauthorized: false });
  const agent = new undici.Agent({
    connect(options, callback) {
      if (!ours.has(Number(options.port))) return plain(options, callback);
      return secure({ ...options, protocol: 'https:', httpSocket: null }, callback);
    },
  });
  undici.setGlobalDispatcher(agent);
}
dispatchOverTls(require('undici'));
