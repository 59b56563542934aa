'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.toKtlsPolicy = toKtlsPolicy;
const errors_1 = require('../errors');
const MODES = ['auto', 'off', 'require'];
function checkMode(name, mode) {
  if (MODES.includes(mode)) return mode;
  throw new errors_1.ConfigError(
    'ERR_AWS_LC_CONFIG_KTLS',
    name,
    `expected 'auto', 'off' or 'require', got ${String(mode)}`,
  );
}
/**
 * Fills in the defaults of the `ktls` option.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_KTLS
 */
function toKtlsPolicy(option) {
  if (option === null || typeof option !== 'object') {
    const mode = checkMode('ktls', option ?? 'auto');
    return { tx: mode, rx: mode, afterBytes: 0, ignoreKernelFloor: false };
  }
  const { tx = 'auto', rx = 'auto', afterBytes = 0, ignoreKernelFloor = false } = option;
  checkMode('ktls.tx', tx);
  checkMode('ktls.rx', rx);
  if (!Number.isSafeInteger(afterBytes) || afterBytes < 0) {
    throw new errors_1.ConfigError(
      'ERR_AWS_LC_CONFIG_KTLS',
      'ktls.afterBytes',
      'expected a count of bytes',
    );
  }
  if (afterBytes > 0 && (tx === 'require' || rx === 'require')) {
    throw new errors_1.ConfigError(
      'ERR_AWS_LC_CONFIG_KTLS',
      'ktls.afterBytes',
      "'require' is decided before any data moves and cannot wait for it",
    );
  }
  if (typeof ignoreKernelFloor !== 'boolean') {
    throw new errors_1.ConfigError(
      'ERR_AWS_LC_CONFIG_KTLS',
      'ktls.ignoreKernelFloor',
      'expected a boolean',
    );
  }
  return { tx, rx, afterBytes, ignoreKernelFloor };
}
//# sourceMappingURL=policy.js.map
