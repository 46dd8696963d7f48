// What is counted and timed of each attempt. It is on the path of all of them: attributes are made once, and none names a
// customer, so that there are few. What operators make of it is in docs/operations.md; what is only looked up when metrics
// are collected is in delivery-gauges.ts.
import { metrics, type Attributes } from '@opentelemetry/api';
import type { AttemptedDelivery } from './delivery.js';
import type { Outcome } from './outcome.js';

const meter = metrics.getMeter('webhook-dispatcher');

/** Up to the 30 s that an attempt may take. */
const exchangeSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30];
/** From what an idle dispatcher takes to what a customer asks about. */
const waitSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300];
const statementSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

const attempts = meter.createCounter('webhook.attempts', {
  unit: '{attempt}',
  description: 'Attempts made, by what came of them: the class of the status code, or why there was no complete answer.',
});
const duration = seconds('webhook.attempt.duration', 'From the start of an attempt to the end of its exchange.', exchangeSeconds);
const wait = seconds('webhook.attempt.wait', 'From when a delivery was taken into memory to the start of its attempt.', waitSeconds);
const delay = seconds('webhook.event.delay', 'From the time of an event to the start of its first attempt, once for each endpoint.', waitSeconds);
const recording = seconds('webhook.record.duration', 'How long it took to write a batch of attempts, repetitions included.', statementSeconds);

type Turn = 'first' | 'retry';

const attributesOfTurn: Record<Turn, Attributes> = { first: { turn: 'first' }, retry: { turn: 'retry' } };
const attributesOfOutcome = new Map<string, Record<Turn, Attributes>>();

// Without a first zero the first increase of all is invisible to Prometheus' increase().
for (const outcome of ['2xx', '3xx', '4xx', '5xx', 'secret_unavailable']) {
  for (const turn of ['first', 'retry'] as const) attempts.add(0, attributesOf(outcome, turn));
}

/** Call when its exchange is over. */
export function countAttempt({ delivery, startedAt, outcome }: AttemptedDelivery): void {
  const turn = delivery.attempts === 0 ? 'first' : 'retry';
  const attributes = attributesOf(outcomeClass(outcome), turn);
  attempts.add(1, attributes);
  duration.record(outcome.durationMs / 1_000, attributes);
  wait.record(secondsBetween(delivery.takenAt, startedAt), attributesOfTurn[turn]);
  if (turn === 'first') delay.record(secondsBetween(delivery.eventAt, startedAt));
}

/** Times the writing of one batch. */
export async function timeRecording(write: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await write().finally(() => recording.record((performance.now() - start) / 1_000));
}

/** `2xx`, or an error code: both are closed lists, whatever customers answer. */
export function outcomeClass(outcome: Outcome): string {
  return outcome.kind === 'answered' ? `${Math.floor(outcome.status / 100)}xx` : outcome.error;
}

function attributesOf(outcome: string, turn: Turn): Attributes {
  let known = attributesOfOutcome.get(outcome);
  if (!known) {
    known = { first: { outcome, turn: 'first' }, retry: { outcome, turn: 'retry' } };
    attributesOfOutcome.set(outcome, known);
  }
  return known[turn];
}

/** Clocks of different machines may disagree by a little: a histogram takes nothing below 0. */
function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1_000;
}

function seconds(name: string, description: string, explicitBucketBoundaries: number[]) {
  return meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
}
