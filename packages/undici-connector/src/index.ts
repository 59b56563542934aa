export { createConnector } from './connector';
export type { ConnectorOptions } from './options';
export { createProxyAgent, type ProxyAgentOptions } from './proxy-agent';
export { createHttpsAgent, type HttpsAgentOptions } from './https-agent';
export { createHttp2Connect, type Http2Connect, type Http2ConnectOptions } from './http2-connect';
