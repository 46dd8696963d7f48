// How an endpoint fares: what each attempt makes of its health, when its owners are warned, when it is disabled. Pure.
import { isOurFault } from '../deliveries/send-error.js';
import type { EndpointStatus } from '../endpoints/endpoint.entity.js';

export interface HealthPolicy {
  /** Without a success for this long an endpoint is disabled. Above 0. */
  disableAfterMs: number;
  /** But not before this many failed attempts, so that a quiet endpoint is not judged by two of them. At least 1. */
  minFailedAttempts: number;
}

export interface EndpointHealth {
  status: EndpointStatus;
  /** When the first attempt failed that no success has followed; null while all is well. */
  failingSince: Date | null;
  failedAttempts: number;
  /** How many warnings the owners have had since then, 0 to 2. */
  warnings: number;
  /** Since when it was failing by what the owners were told last, if they have not been told of a recovery; it outlasts an enabling. */
  toldSince: Date | null;
  /** Failed attempts since then, from before it was last enabled. */
  failedBefore: number;
}

export interface AttemptOutcome {
  at: Date;
  succeeded: boolean;
  /** It answered 410. */
  gone: boolean;
  responseCode?: number;
  error?: string;
}

interface FailureFacts {
  /** When the attempt was made that brought it about. */
  at: Date;
  failingSince: Date;
  failedAttempts: number;
  responseCode?: number;
  error?: string;
}

export type DisablingCause = 'gone' | 'no_success';

/** What others are to be told: each at most once in a period of failures. */
export type HealthSignal =
  | ({ kind: 'failing'; warning: 1 | 2; disabledAtEarliest: Date } & FailureFacts)
  | ({ kind: 'disabled'; cause: DisablingCause; reason: string } & FailureFacts)
  | { kind: 'recovered'; at: Date; failingSince: Date; failedAttempts: number };

export interface Judgement {
  health: EndpointHealth;
  signals: HealthSignal[];
}

interface Step {
  health: EndpointHealth;
  signal?: HealthSignal;
}

/**
 * Takes the attempts one after the other, so that it makes no difference how they are cut into batches. Only the times
 * of the attempts count: what is recorded late is judged like what is recorded at once.
 */
export function afterAttempts(health: EndpointHealth, outcomes: AttemptOutcome[], policy: HealthPolicy): Judgement {
  const signals: HealthSignal[] = [];
  let current = health;
  for (const outcome of outcomes) {
    const step = afterAttempt(current, outcome, policy);
    current = step.health;
    if (step.signal) signals.push(step.signal);
  }
  return { health: current, signals };
}

/**
 * A disabled endpoint stays as it is: it is enabled by hand, not by a retry that happened to succeed. A proxy of ours that is down must not
 * have everybody's endpoints disabled.
 */
function afterAttempt(health: EndpointHealth, outcome: AttemptOutcome, policy: HealthPolicy): Step {
  if (health.status === 'disabled' || isOurFault(outcome.error)) return { health };
  return outcome.succeeded ? afterSuccess(health, outcome.at) : afterFailure(health, outcome, policy);
}

/** Who was never told of the failures need not be told of their end. */
function afterSuccess(health: EndpointHealth, at: Date): Step {
  const { failingSince, failedAttempts, toldSince, failedBefore } = health;
  if (!failingSince && !toldSince) return { health };
  return {
    health: { ...health, failingSince: null, failedAttempts: 0, warnings: 0, toldSince: null, failedBefore: 0 },
    signal: toldSince ? { kind: 'recovered', at, failingSince: toldSince, failedAttempts: failedBefore + failedAttempts } : undefined,
  };
}

function afterFailure(before: EndpointHealth, { at, gone, responseCode, error }: AttemptOutcome, policy: HealthPolicy): Step {
  const failingSince = earlier(before.failingSince ?? at, at);
  const failedAttempts = before.failedAttempts + 1;
  const health = { ...before, failingSince, failedAttempts };
  const facts = { at, failingSince, failedAttempts, responseCode, error };
  const thirds = thirdsReached(facts, policy);
  if (gone) return disable(health, 'gone', facts);
  if (thirds === 3) return disable(health, 'no_success', facts);
  if (thirds === 0 || thirds <= before.warnings) return { health };
  return warn(health, thirds, facts, policy);
}

function disable(health: EndpointHealth, cause: DisablingCause, facts: FailureFacts): Step {
  return { health: { ...told(health, facts), status: 'disabled' }, signal: { kind: 'disabled', cause, reason: reasonFor(cause, facts), ...facts } };
}

function told(health: EndpointHealth, { failingSince }: FailureFacts): EndpointHealth {
  return { ...health, toldSince: earlier(health.toldSince ?? failingSince, failingSince) };
}

/** Shown with the endpoint. */
function reasonFor(cause: DisablingCause, { failingSince, failedAttempts }: FailureFacts): string {
  if (cause === 'gone') return 'The endpoint answered 410 Gone.';
  return `No attempt has succeeded since ${failingSince.toISOString()}; ${failedAttempts} failed.`;
}

/** After a long silence both warnings may be due at once: then only the second is given. */
function warn(health: EndpointHealth, warning: 1 | 2, facts: FailureFacts, policy: HealthPolicy): Step {
  const disabledAtEarliest = new Date(Math.max(facts.failingSince.getTime() + policy.disableAfterMs, facts.at.getTime()));
  return { health: { ...told(health, facts), warnings: warning }, signal: { kind: 'failing', warning, disabledAtEarliest, ...facts } };
}

/** How many thirds of the way to being disabled are behind, in time and in failures both. */
function thirdsReached({ at, failingSince, failedAttempts }: FailureFacts, policy: HealthPolicy): 0 | 1 | 2 | 3 {
  const inTime = (3 * (at.getTime() - failingSince.getTime())) / policy.disableAfterMs;
  const inFailures = (3 * failedAttempts) / policy.minFailedAttempts;
  return Math.min(3, Math.floor(inTime), Math.floor(inFailures)) as 0 | 1 | 2 | 3;
}

/** Replicas record side by side: a failure may arrive after one that happened later. */
function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
