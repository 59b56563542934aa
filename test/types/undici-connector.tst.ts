/** Types as users of the client side meet them. */
import http2 from 'node:http2';
import https from 'node:https';
import {
  createConnector,
  createHttp2Connect,
  createHttpsAgent,
  createProxyAgent,
} from '@node-aws-lc/undici-connector';
import { expect, test } from 'tstyche';
import type { buildConnector, ProxyAgent } from 'undici';
import { Agent, Client, type Dispatcher, fetch, Pool } from 'undici';

test('a connector is what undici takes', () => {
  const connect = createConnector({ ca: 'ca', ktls: 'off', timeout: 1000, allowH2: true });
  expect(connect).type.toBe<buildConnector.connector>();
  expect(Agent).type.toBeConstructableWith({ connect });
  expect(Pool).type.toBeConstructableWith('https://localhost', { connect });
  expect(Client).type.toBeConstructableWith('https://localhost', { connect });
});

test("it takes what undici's own takes, and refuses values of other types", () => {
  const options: buildConnector.BuildOptions = {};
  expect(createConnector).type.toBeCallableWith(options);
  expect(createConnector).type.toBeCallableWith();
  expect(createConnector).type.not.toBeCallableWith({ timeout: '1s' });
  expect(createConnector).type.not.toBeCallableWith({ ktls: 'yes' });
});

test('a proxy agent is a dispatcher', () => {
  const dispatcher = createProxyAgent({ uri: 'http://proxy.test:3128', requestTls: { ca: 'ca' } });
  expect(dispatcher).type.toBeAssignableTo<Dispatcher>();
  expect(fetch).type.toBeCallableWith('https://localhost', { dispatcher });
  expect<ProxyAgent>().type.toBeAssignableTo<Dispatcher>();
});

test("an https agent and an http2 connect are what Node's modules take", () => {
  const agent = createHttpsAgent({ ca: 'ca', keepAlive: true });
  expect(agent).type.toBe<https.Agent>();
  expect(https.get).type.toBeCallableWith('https://localhost', { agent });
  const createConnection = createHttp2Connect({ ca: 'ca' });
  expect(http2.connect).type.toBeCallableWith('https://localhost', { createConnection });
});
