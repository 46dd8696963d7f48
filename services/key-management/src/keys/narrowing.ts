// Whether a change may refuse a request that was let in before: then every gateway must know before anyone is told that it is
// made. A pure rule; in doubt it says yes, which costs a moment.
import { areWithin } from './address-ranges.js';
import { endOf, startOf, type Grant } from './key-grant.js';
import type { Life } from './key-status.js';
import { isAtMost, rateOf, type Rate } from './rate.js';

export interface Judged extends Grant, Life {
  secretMac: Buffer;
}

export function isNarrower(before: Judged, after: Judged, standard: Rate): boolean {
  return (
    isShorter(before, after) ||
    before.scopes.some((scope) => !after.scopes.includes(scope)) ||
    !areWithin(before.allowedIps, after.allowedIps) ||
    !isAtMost(rateOf(before, standard), rateOf(after, standard)) ||
    // A rotation gives the secret so far an end, if it does not end it at once.
    !after.secretMac.equals(before.secretMac)
  );
}

function isShorter(before: Judged, after: Judged): boolean {
  const isEnded = (was: Date | null, is: Date | null) => was === null && is !== null;
  return (
    isEnded(before.revokedAt, after.revokedAt) ||
    isEnded(before.disabledAt, after.disabledAt) ||
    endOf(after) < endOf(before) ||
    startOf(after) > startOf(before)
  );
}
