import * as native from '@node-aws-lc/native';

/** Pre-shared keys cannot be configured, so suites that need them are none of ours. */
function usableSuites(): ReturnType<typeof native.cipherSuites> {
  return native.cipherSuites().filter((suite) => !suite.name.includes('PSK'));
}

let names: string[] | undefined;

/** The names of the cipher suites that there are, lower-case and sorted, as `tls.getCiphers`. */
export function getCiphers(): string[] {
  names ??= [...new Set(usableSuites().map((suite) => suite.name.toLowerCase()))].sort();
  return [...names];
}

/** All that there are, in AWS-LC's order of preference: what `DEFAULT_CIPHERS` begins as. */
export function defaultCiphers(): string {
  const suites = usableSuites();
  const strongFirst = [
    ...suites.filter(({ tls13 }) => tls13),
    ...suites.filter(({ tls13 }) => !tls13),
  ];
  return strongFirst
    .map(({ name, standardName, tls13 }) => (tls13 ? standardName : name))
    .join(':');
}
