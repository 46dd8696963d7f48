// A key's rate limit as clients are told it: the fields of draft-ietf-httpapi-ratelimit-headers-11, and Retry-After. Pure.
import { Problem } from '../http/problem.js';
import type { RateDecision } from './rate-window.js';

export function rateHeaders({ quota, remaining, resetSeconds }: RateDecision): Record<string, string> {
  return {
    'ratelimit-policy': `"default";q=${quota.limit};w=${quota.windowSeconds}`,
    ratelimit: `"default";r=${remaining};t=${resetSeconds}`,
  };
}

export function overLimit({ quota, resetSeconds }: RateDecision): Problem {
  const detail = `The API key may make ${quota.limit} requests in ${quota.windowSeconds} s. Try again in ${resetSeconds} s.`;
  return new Problem('rate_limited', detail, { headers: { 'retry-after': String(resetSeconds) } });
}
