// The shapes a delivery goes through: due (someone holds its lease), attempted (has an outcome and a next step).
// States and their transitions are drawn in docs/state-machines.md.
import type { SentRequest } from './request.js';
import type { NextStep, RetryPolicy } from './retry-policy.js';
import type { Outcome } from './outcome.js';
import type { SigningSecrets } from './sign.js';
import type { Unwritten } from './write-ahead.js';

export type DeliveryStatus = 'pending' | 'retrying' | 'succeeded' | 'failed' | 'cancelled';

/** Where an attempt goes, and how. */
export interface Target {
  endpointId: string;
  url: string;
  /** Those that sign at a moment. @throws Error when they can't be opened: that is this endpoint's trouble alone */
  secrets: (now: Date) => SigningSecrets;
  timeoutMs: number;
  retryPolicy: RetryPolicy;
  /** Sent along with every attempt. */
  headers: Record<string, string>;
  rateLimitPerSecond: number | undefined;
  maxInFlight: number | undefined;
  /** One at a time, in the order of events. */
  ordered: boolean;
  /** While it is set, deliveries wait in the database. */
  disabledAt: Date | undefined;
  /** It has asked to be left alone until then. */
  pausedUntil: Date | undefined;
}

/** A delivery that this replica may attempt until its lease ends. */
export interface DueDelivery {
  id: string;
  /** When the event happened: the partition key of events, deliveries and attempts. */
  eventAt: Date;
  workspaceId: string;
  eventId: string;
  eventType: string;
  /** The bytes that are signed and sent. */
  payload: Buffer;
  traceparent: string | null;
  /** How many attempts were made before. */
  attempts: number;
  maxAttempts: number;
  /** How many attempts were made before the run of the retry policy that it is in: a replay begins a fresh one. */
  attemptsBeforeRun: number;
  /** See `Run`. */
  isOnlyAttempt?: boolean;
  /** When it came to this replica: what it waits from then on is its own queueing. */
  takenAt: Date;
  leasedUntil: Date;
  target: Target;
  /** Present while, or because, it was attempted before it was in the database: see write-ahead.ts. */
  unwritten?: Unwritten;
}

export interface AttemptedDelivery {
  delivery: DueDelivery;
  attemptId: string;
  startedAt: Date;
  endedAt: Date;
  /** Undefined when nothing could be sent. */
  request?: SentRequest;
  outcome: Outcome;
  next: NextStep;
}
