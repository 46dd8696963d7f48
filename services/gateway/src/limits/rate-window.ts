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
  /** What nobody has reserved, as of the last time it was asked. */
  unreserved: number;
}

export interface RateDecision {
  isAdmitted: boolean;
  quota: Quota;
  /** Requests that may still pass in this window, as far as this gateway knows. */
  remaining: number;
  /** Until the next window begins: 1 or more. */
  resetSeconds: number;
}

/** Windows begin at multiples of their length since 1970, so that all replicas number them alike. */
export function windowAt(keyId: string, quota: Quota, nowMs: number): Window {
  const lengthMs = quota.windowSeconds * 1_000;
  return { keyId, quota, endsAtMs: (Math.floor(nowMs / lengthMs) + 1) * lengthMs, left: 0, unreserved: quota.limit };
}

export function isFor(window: Window, { limit, windowSeconds }: Quota, nowMs: number): boolean {
  return nowMs < window.endsAtMs && window.quota.limit === limit && window.quota.windowSeconds === windowSeconds;
}

/** Takes one request out of what is reserved. @returns undefined when more has to be reserved first */
export function takeOne(window: Window, nowMs: number): RateDecision | undefined {
  const isAdmitted = window.left > 0;
  if (isAdmitted) window.left -= 1;
  else if (window.unreserved > 0) return undefined;
  const { quota, left, unreserved, endsAtMs } = window;
  return { isAdmitted, quota, remaining: left + unreserved, resetSeconds: Math.max(1, Math.ceil((endsAtMs - nowMs) / 1_000)) };
}
