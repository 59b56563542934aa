/** Why Node's tests that cannot apply are not run; each line names what AWS-LC has not, or has otherwise. */
const REASONS = [
  [/renegotiation/, 'AWS-LC does not renegotiate'],
  [/securepair|legacy-deprecated|handshake-nohang/, 'createSecurePair is not offered'],
  [/server-setoptions/, 'Server.setOptions is not offered'],
  [/test-tls-psk-/, 'pre-shared keys are refused'],
  [/clientcertengine-unsupported|keyengine-unsupported/, 'engines: refused under another code'],
  [/client-getephemeralkeyinfo|client-mindhsize/, 'DHE'],
  [/getcipher|honorcipherorder|set-ciphers|no-cert-required/, 'suites that AWS-LC has not'],
  [/reduced-SECLEVEL/, 'OpenSSL’s security levels'],
  [/error-stack|key-mismatch|failed-handshake-emits|invalid-pfx/, 'OpenSSL’s exact wording'],
  [
    /close-notify|external-accessor|generic-stream|reinitialize-listeners|socket-destroy|socket-default-options|writewrap-leak|resume-after-renew|https-timeout-server|create-client-secure-session/,
    'Node’s internals',
  ],
];

/** Why a test is not run, or undefined. */
export function leftOut(name) {
  return REASONS.find(([pattern]) => pattern.test(name))?.[1];
}
