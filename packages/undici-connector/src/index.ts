export { createConnector } from './connector';
export type { ConnectorOptions } from './options';
