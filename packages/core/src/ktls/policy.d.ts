/** What is wanted of kernel TLS in one direction. */
export type KtlsMode = 'auto' | 'off' | 'require';
/** The `ktls` option: one mode for both directions, or each on its own. */
export type KtlsOption =
  | KtlsMode
  | {
      /** Sending. Default `'auto'`. */
      tx?: KtlsMode | undefined;
      /** Receiving. Default `'auto'`. */
      rx?: KtlsMode | undefined;
      /** Move into the kernel only after this many bytes of application data. Default 0; not with `'require'`. */
      afterBytes?: number | undefined;
      /** Use kernels whose receive path has known defects. Default false. */
      ignoreKernelFloor?: boolean | undefined;
    };
/** The `ktls` option with its defaults filled in. */
export interface KtlsPolicy {
  readonly tx: KtlsMode;
  readonly rx: KtlsMode;
  readonly afterBytes: number;
  readonly ignoreKernelFloor: boolean;
}
/**
 * Fills in the defaults of the `ktls` option.
 *
 * @throws ConfigError ERR_AWS_LC_CONFIG_KTLS
 */
export declare function toKtlsPolicy(option: KtlsOption | undefined): KtlsPolicy;
