// One implementation, the CommonJS one: its classes and its addon exist once, whatever the import
// style.
import { awsLcTls } from './index.js';

export * from './index.js';
export default awsLcTls;
