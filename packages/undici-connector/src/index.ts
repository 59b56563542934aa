export { createConnector } from './connector';
export type { ConnectorOptions } from './options';
export { createProxyAgent, type ProxyAgentOptions } from './proxy-agent';
