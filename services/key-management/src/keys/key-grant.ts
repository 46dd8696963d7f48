// What a key may be: known scopes, times, addresses and limits that make sense, and nothing that whoever makes or changes it
// could not do itself. Pure rules.
import { addressRangeForm, isScope } from '@na/contracts';
import { ServiceError, type FieldFault } from '@na/service-error';
import { areWithin, canonicalRange, isWithin } from './address-ranges.js';
import { isAtMost, rateBounds, rateOf, type Rate, type RateLimited } from './rate.js';

export interface Grant extends RateLimited {
  scopes: string[];
  expiresAt: Date | null;
  notBefore: Date | null;
  /** Canonical; none is everywhere. */
  allowedIps: string[];
}

/** Whoever makes or changes a key: what the calling key may do, or the operator, who may grant everything. */
export type Maker = Grant | 'operator';

const maxAllowedIps = 50;

/** Every address in its canonical form, each once. @throws ServiceError `invalid_request` with a pointer to each that is none */
export function canonicalIps(allowedIps: string[]): string[] {
  const canonical = allowedIps.map(canonicalRange);
  const noRange = (index: number) => faultAt(`/allowed_ips/${index}`, 'invalid_format', addressRangeForm);
  const faults = canonical.flatMap((range, index) => (range ? [] : [noRange(index)]));
  if (allowedIps.length > maxAllowedIps) faults.push(faultAt('/allowed_ips', 'too_many', `Must be at most ${maxAllowedIps}.`));
  refuse('invalid_request', faults);
  return [...new Set(canonical as string[])];
}

type Check = (grant: Grant, now: Date) => FieldFault[];

const checks: { [P in keyof Grant]?: Check } = {
  scopes: unknownScopes,
  expiresAt: ({ expiresAt, notBefore }, now) => {
    if (expiresAt && expiresAt <= now) return [faultAt('/expires_at', 'not_in_future', 'Must lie in the future.')];
    return expiresAt && notBefore && expiresAt <= notBefore ? [faultAt('/expires_at', 'too_early', 'Must lie after not_before.')] : [];
  },
  notBefore: ({ expiresAt, notBefore }) =>
    expiresAt && notBefore && notBefore >= expiresAt ? [faultAt('/not_before', 'too_late', 'Must lie before expires_at.')] : [],
  rateLimit: ({ rateLimit }) => outOfBounds('/rate_limit/limit', rateLimit, rateBounds.limit),
  rateWindowSeconds: ({ rateWindowSeconds }) => outOfBounds('/rate_limit/window_seconds', rateWindowSeconds, rateBounds.windowSeconds),
};

/**
 * @param changed which fields are new: what was fine once is not judged again
 * @throws ServiceError `invalid_request` with a pointer to each fault
 */
export function checkGrant(grant: Grant, changed: readonly string[], now: Date): void {
  refuse('invalid_request', Object.entries(checks).flatMap(([field, check]) => (changed.includes(field) ? check(grant, now) : [])));
}

/** @throws ServiceError `invalid_request` or `insufficient_scope`, unless the maker may itself do all that the key may */
export function checkHeld(grant: Grant, maker: Maker, standard: Rate): void {
  if (maker === 'operator') return;
  refuse('invalid_request', [...endAfter(grant, maker), ...addressesBeyond(grant, maker), ...rateAbove(grant, maker, standard)]);
  refuse('insufficient_scope', scopesBeyond(grant.scopes, maker));
}

/**
 * A change may take away whatever it likes. A key that it adds anything to must be one that the maker could have made: judged
 * apart, a scope of a short-lived key would live on in a long-lived one, and a key be used from where neither could be.
 */
export function checkAdded(before: Grant & Switched, after: Grant & Switched, maker: Maker, standard: Rate): void {
  if (isWider(before, after, standard)) checkHeld(after, maker, standard);
}

export interface Switched {
  disabledAt: Date | null;
}

function isWider(before: Grant & Switched, after: Grant & Switched, standard: Rate): boolean {
  return (
    isUsableLonger(before, after) ||
    after.scopes.some((scope) => !before.scopes.includes(scope)) ||
    !areWithin(after.allowedIps, before.allowedIps) ||
    !isAtMost(rateOf(after, standard), rateOf(before, standard))
  );
}

function isUsableLonger(before: Grant & Switched, after: Grant & Switched): boolean {
  return endOf(after) > endOf(before) || startOf(after) < startOf(before) || (before.disabledAt !== null && after.disabledAt === null);
}

export function startOf({ notBefore }: Pick<Grant, 'notBefore'>): number {
  return notBefore?.getTime() ?? -Infinity;
}

export function endOf({ expiresAt }: Pick<Grant, 'expiresAt'>): number {
  return expiresAt?.getTime() ?? Infinity;
}

function unknownScopes({ scopes }: Grant): FieldFault[] {
  if (scopes.length === 0) return [faultAt('/scopes', 'required', 'Name at least one scope.')];
  return faultyScopes(scopes, (scope) => !isScope(scope), 'unknown_scope', (scope) => `There is no scope ${scope}.`);
}

function scopesBeyond(scopes: string[], maker: Pick<Grant, 'scopes'>): FieldFault[] {
  const isBeyond = (scope: string) => !maker.scopes.includes(scope);
  return faultyScopes(scopes, isBeyond, 'scope_not_held', (scope) => `The calling key does not have ${scope}.`);
}

function faultyScopes(scopes: string[], faulty: (scope: string) => boolean, code: string, detail: (scope: string) => string): FieldFault[] {
  return scopes.flatMap((scope, index) => (faulty(scope) ? [faultAt(`/scopes/${index}`, code, detail(scope))] : []));
}

function endAfter(grant: Grant, maker: Grant): FieldFault[] {
  if (endOf(grant) <= endOf(maker)) return [];
  return [faultAt('/expires_at', 'too_late', `Must be at most ${maker.expiresAt!.toISOString()}, when the calling key expires.`)];
}

function addressesBeyond({ allowedIps }: Grant, maker: Pick<Grant, 'allowedIps'>): FieldFault[] {
  if (areWithin(allowedIps, maker.allowedIps)) return [];
  if (allowedIps.length === 0) return [faultAt('/allowed_ips', 'required', 'Must be given, since the calling key has its own.')];
  const beyond = [...allowedIps.keys()].filter((index) => !isWithin(allowedIps[index]!, maker.allowedIps));
  return beyond.map((index) => faultAt(`/allowed_ips/${index}`, 'address_not_held', 'The calling key may not be used from there itself.'));
}

function rateAbove(grant: Grant, maker: Grant, standard: Rate): FieldFault[] {
  const own = rateOf(maker, standard);
  if (isAtMost(rateOf(grant, standard), own)) return [];
  const detail = `Must be at most ${own.limit} requests in ${own.windowSeconds} s, per window and in the long run, as of the calling key.`;
  return [faultAt('/rate_limit', 'too_high', detail)];
}

function outOfBounds(pointer: string, value: number | null, max: number): FieldFault[] {
  return value === null || (value >= 1 && value <= max) ? [] : [faultAt(pointer, 'out_of_range', `Must be 1 to ${max}.`)];
}

function faultAt(pointer: string, code: string, detail: string): FieldFault {
  return { pointer, code, detail };
}

const messages = {
  invalid_request: 'The key can not be like this.',
  insufficient_scope: 'A key can not give more than it may do itself.',
};

function refuse(code: keyof typeof messages, fields: FieldFault[]): void {
  if (fields.length > 0) throw new ServiceError(code, messages[code], { fields });
}
