/** The doctor's parts, which are not public: what it judges by cannot all be had on one machine. */
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Findings from '../../packages/core/src/doctor/findings';
import type * as Advice from '../../packages/core/src/doctor/advice';
import type * as Files from '../../packages/core/src/doctor/host-files';
import type * as Crypto from '../../packages/core/src/doctor/kernel-crypto';
import type * as Places from '../../packages/core/src/doctor/place';
import type * as Rights from '../../packages/core/src/doctor/privileges';
import type * as Reports from '../../packages/core/src/doctor/report';
import type * as Statistics from '../../packages/core/src/doctor/statistics';
import type * as Text from '../../packages/core/src/doctor/text';
import type * as Modules from '../../packages/core/src/doctor/tls-module';
import type * as Kernel from '../../packages/core/src/ktls/kernel';

export type { HostFacts } from '../../packages/core/src/doctor/host-facts';

/** The package's folder. */
export const core = path.join(__dirname, '..', '..', '..', 'packages', 'core');

/** The file that `npx node-aws-lc` runs. */
export const program = path.join(core, 'bin', 'node-aws-lc.js');

export const { findingsOf } = load<typeof Findings>('doctor/findings');
export const { adviceOn } = load<typeof Advice>('doctor/advice');
export const { HostFiles } = load<typeof Files>('doctor/host-files');
export const { kernelCrypto } = load<typeof Crypto>('doctor/kernel-crypto');
export const { placeOf } = load<typeof Places>('doctor/place');
export const { privilegesOf } = load<typeof Rights>('doctor/privileges');
export const { report } = load<typeof Reports>('doctor/report');
export const { tlsStatistics } = load<typeof Statistics>('doctor/statistics');
export const { toText } = load<typeof Text>('doctor/text');
export const { tlsModule } = load<typeof Modules>('doctor/tls-module');
export const {
  isReceivePathSafe,
  parseRelease,
  receivePathDefect,
  receivePathMendedIn,
  upstreamRelease,
} = load<typeof Kernel>('ktls/kernel');

function load<T>(file: string): T {
  return createRequire(__filename)(path.join(core, 'dist', file)) as T;
}
