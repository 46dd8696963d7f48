// What may happen to the scheduler, one step after the other, and how often each of it does.
import { answer, hang, malformed, resetMidBody, type Behaviour } from '@na/testing';
import fc from 'fast-check';
import type { Place } from './scheduler-stage.js';

/** Real milliseconds of an attempt without an answer. */
export const timeoutMs = 300;

/** Real milliseconds: longer than a delivery is held before it is in the table. */
const laterMs = 200;

export const outcomes = {
  ok: answer(200),
  'ok later': later(answer(200)),
  'error later': later(answer(500)),
  error: answer(500),
  unavailable: answer(503, '', { 'retry-after': '30' }),
  'too many requests': answer(429, '', { 'retry-after': '120' }),
  gone: answer(410),
  'no answer': hang,
  reset: (response) => void response.socket?.resetAndDestroy(),
  'reset in the body': resetMidBody,
  nonsense: malformed,
} satisfies Record<string, Behaviour>;

export type Answer = keyof typeof outcomes;

export type Step =
  | { do: 'publish'; events: number }
  | { do: 'answer'; endpoint: 0 | 1; with: Answer }
  | { do: 'pass' | 'leap'; seconds: number }
  | { do: 'kill' | 'stop' | 'start'; place: Place }
  /** Counted from the newest. */
  | { do: 'cancel' | 'retry'; delivery: number };

export interface Scenario {
  maxAttempts: number;
  /** The second endpoint wants its events in order. Then no event is attempted before it is written. */
  ordered: boolean;
  /** What the endpoints answer until a step says otherwise. */
  answers: [Answer, Answer];
  steps: Step[];
}

function later(behaviour: Behaviour): Behaviour {
  return (...request) => void setTimeout(() => behaviour(...request), laterMs);
}

/** Those in flight for long come more often: most of what can go wrong goes wrong meanwhile. */
const answers = fc.constantFrom(...(Object.keys(outcomes) as Answer[]), 'ok later' as const, 'error later' as const, 'no answer' as const);
const place = fc.constantFrom(0 as const, 1 as const);
const steps: fc.WeightedArbitrary<Step>[] = [
  { weight: 5, arbitrary: fc.record({ do: fc.constant('publish'), events: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer'), endpoint: place, with: answers }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass'), seconds: fc.constantFrom(1, 7, 30, 120, 3_600) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leap'), seconds: fc.constantFrom(60, 3_600) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill'), place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop'), place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('start'), place }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('cancel', 'retry'), delivery: fc.nat({ max: 3 }) }) },
];

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  ordered: fc.boolean(),
  answers: fc.tuple(answers, answers),
  steps: fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 15, size: 'max' }),
});

/** Played every time: small ones that show the worst mistakes, acknowledging too early and deciding on an old state. */
export const treacherous: Scenario[] = [
  // What was attempted is not in the table when both die, and the event is not to be forgotten.
  { maxAttempts: 2, ordered: false, answers: ['ok', 'ok later'], steps: [publish(2), kill(0), kill(1)] },
  // What was decided by hand stands, whatever the attempt in flight comes to.
  { maxAttempts: 2, ordered: false, answers: ['ok later', 'error later'], steps: [publish(1), cancel(0), cancel(1), { do: 'pass', seconds: 7 }] },
];

function publish(events: number): Step {
  return { do: 'publish', events };
}

function kill(place: Place): Step {
  return { do: 'kill', place };
}

function cancel(delivery: number): Step {
  return { do: 'cancel', delivery };
}
