import type { HttpsOptions } from '@node-aws-lc/core';

/** Options of the plugin and of the server factory: those of an HTTPS server of `@node-aws-lc/core`. */
export type AwsLcTlsOptions = HttpsOptions;
