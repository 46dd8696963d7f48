// The rules of a key's rate limit: fixed windows, and what a gateway knows of one of them. Pure.

/** Requests in each window. */
export interface Quota {
  limit: number;
  windowSeconds: number;
}

/** One window of one key, as one gateway sees it. */
export interface Window {
  readonly keyId: string;
  readonly quota: Quota;
  readonly endsAtMs: number;
  /** Reserved for this gateway and not yet used: requests that may pass without asking. */
  left: number;
  /** What nobody has reserved, as of the last time it was asked; a guess until then. */
  unreserved: number;
  /** Whether anything has been reserved for this gateway, or tried to be. */
  isAsked: boolean;
}

export interface RateDecision {
  isAdmitted: boolean;
  quota: Quota;
  /** Requests that may still pass in this window, as far as this gateway knows. */
  remaining: number;
  /** Until the next window begins: 1 or more. */
  resetSeconds: number;
}

/**
 * Windows begin at multiples of their length since 1970, so that all replicas number them alike.
 * @param before the window of this key that was known so far: what was taken in it is carried over while it runs
 */
export function windowAt(keyId: string, quota: Quota, nowMs: number, before?: Window): Window {
  const lengthMs = quota.windowSeconds * 1_000;
  const carried = before && nowMs < before.endsAtMs ? carriedOver(before, quota) : 0;
  const unreserved = Math.max(0, quota.limit - carried);
  return { keyId, quota, endsAtMs: (Math.floor(nowMs / lengthMs) + 1) * lengthMs, left: 0, unreserved, isAsked: false };
}

/**
 * What was taken of a limit counts on when the limit is changed, or changing it would be a way to begin anew: as it is in a
 * window that is not shorter, by its share of the length in one that is. Whoever has used up a limit has then also used up
 * every lower one; whoever has used a little of a long window is not shut out of a short one. The table does the same, and knows
 * whether another gateway has counted it already: what is said here goes only while it can't be asked.
 */
function carriedOver({ quota, left, unreserved }: Window, { windowSeconds }: Quota): number {
  return Math.ceil((quota.limit - left - unreserved) * Math.min(1, windowSeconds / quota.windowSeconds));
}

export function isFor(window: Window, { limit, windowSeconds }: Quota, nowMs: number): boolean {
  return nowMs < window.endsAtMs && window.quota.limit === limit && window.quota.windowSeconds === windowSeconds;
}

/** Takes one request out of what is reserved. @returns undefined when more has to be reserved first */
export function takeOne(window: Window, nowMs: number): RateDecision | undefined {
  const isAdmitted = window.left > 0;
  if (isAdmitted) window.left -= 1;
  else if (window.unreserved > 0 || !window.isAsked) return undefined;
  const { quota, left, unreserved, endsAtMs } = window;
  return { isAdmitted, quota, remaining: left + unreserved, resetSeconds: Math.max(1, Math.ceil((endsAtMs - nowMs) / 1_000)) };
}
