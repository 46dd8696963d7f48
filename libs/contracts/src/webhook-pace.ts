// What is wrong with settings of a webhook's pace that do not go together. Pure.
import { fault, type Fault } from './fault.js';

/**
 * Refused rather than shown as 1: what a client has set is what it reads back, and what an ordered webhook that becomes an unordered
 * one goes back to would be a surprise.
 */
export function inFlightFaults({ ordered, maxInFlight }: { ordered: boolean; maxInFlight: number | null }): Fault[] {
  if (!ordered || maxInFlight === null || maxInFlight === 1) return [];
  const detail = `An ordered webhook has one request in flight, and this would be ${maxInFlight}: leave it out, or set it to null or 1 where ordered is set.`;
  return [fault('not_allowed', detail, 'max_in_flight')];
}

/** Waits that never grow would be hidden behind a base that is never used. */
export function retryPolicyFaults({ baseSeconds, maxSeconds }: { baseSeconds: number; maxSeconds: number }): Fault[] {
  return maxSeconds < baseSeconds ? [fault('too_small', `Must be at least base_seconds, which is ${baseSeconds}.`, 'max_seconds')] : [];
}
