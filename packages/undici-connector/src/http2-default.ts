// undici hands `allowH2` to a connector function only if its user set it, so the connector has to
// know the default of the undici that calls it: false up to version 7, true from 8 on.
import { version } from 'undici/package.json';

/** Whether undici, asked nothing, speaks HTTP/2 where the server does. */
export const http2ByDefault: boolean = Number.parseInt(version, 10) >= 8;
