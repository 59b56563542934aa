import { libraryInfo } from '@node-aws-lc/native';

const { version, fips } = libraryInfo();

/** The AWS-LC that answers: its version, e.g. `'5.12.0'`, and whether it is a FIPS build in FIPS mode. */
export const awsLc: { readonly version: string; readonly fips: boolean } = Object.freeze({
  version,
  fips,
});
