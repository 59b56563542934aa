let warned = false;

/**
 * Whether NODE_TLS_REJECT_UNAUTHORIZED=0 turns verification off, as it does for `tls.connect` and so
 * for undici's own connector. Warns once, as Node does.
 */
export function acceptsUnauthorized(): boolean {
  const accepts = process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';
  if (accepts && !warned) {
    warned = true;
    process.emitWarning(
      "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections insecure by disabling certificate verification.",
    );
  }
  return accepts;
}
