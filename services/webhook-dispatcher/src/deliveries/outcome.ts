// What an attempt came to.
import type { SendError } from './send-error.js';

/** Where the time of an attempt went, in milliseconds from its start. Unset where it did not come to that. */
export interface Phases {
  /** A connection was there and the request began to be sent. */
  connectedMs?: number;
  /** The head of the answer was there. */
  headMs?: number;
}

/** What came of an answer. */
export interface Received {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export type Outcome = { durationMs: number; phases: Phases } & (
  | ({ kind: 'answered' } & Received)
  | {
      kind: 'unanswered';
      error: SendError;
      /** What exactly happened, for the operator's log; it may tell of the operator's network. */
      detail?: string;
      /** Of an answer that broke off in its body. */
      received?: Received;
    }
);

/** @returns undefined when not even the head of an answer came */
export function receivedOf(outcome: Outcome): Received | undefined {
  return outcome.kind === 'answered' ? outcome : outcome.received;
}
