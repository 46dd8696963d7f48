// What is wrong with settings of a webhook's pace that do not go together. Pure.
import { fault, type Fault } from './fault.js';

/** Waits that never grow would be hidden behind a base that is never used. */
export function retryPolicyFaults({ baseSeconds, maxSeconds }: { baseSeconds: number; maxSeconds: number }): Fault[] {
  return maxSeconds < baseSeconds ? [fault('too_small', `Must be at least base_seconds, which is ${baseSeconds}.`, 'max_seconds')] : [];
}
