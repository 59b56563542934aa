/** Why Node's tests that cannot apply are not run; each line names what AWS-LC has not, or has otherwise. */
const REASONS = [];

/** Why a test is not run, or undefined. */
export function leftOut(name) {
  return REASONS.find(([pattern]) => pattern.test(name))?.[1];
}
