// What becomes of a message whose handler failed. A pure rule: the consumer applies it.
import { ServiceError } from '@na/service-error';

export type Settlement = { kind: 'retry'; delayMs: number } | { kind: 'dead-letter' };

/** A message that its handler calls wrong is no better the next time. */
const hopelessCodes = ['invalid_request', 'not_found', 'unprocessable', 'conflict'];

/**
 * @param tries how often the message has been handed over, this time included
 * @returns a retry with delays of 0.5, 1, 2, 4, … at most 30 s, or the dead-letter stream at the last try
 */
export function settleFailure(error: unknown, tries: number, maxTries: number): Settlement {
  if (error instanceof ServiceError && hopelessCodes.includes(error.code)) return { kind: 'dead-letter' };
  if (tries >= maxTries && !isDependencyDown(error)) return { kind: 'dead-letter' };
  return { kind: 'retry', delayMs: Math.min(30_000, 500 * 2 ** Math.min(tries - 1, 10)) };
}

/** PostgreSQL: connection exceptions, shutdown and start-up; Node: sockets that could not be opened or broke. */
const outageCodes = /^(08...|57P0[1-3]|53300|ECONN(REFUSED|RESET|ABORTED)|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN)$/;

/** What pg and TypeORM say, without a code, when a connection breaks between two statements. */
const outageMessages = /connection terminated|timeout exceeded when trying to connect|query runner already released|client has encountered a connection error/i;

/** A message must not be given up because a database restarts: such failures are retried for as long as they last. */
export function isDependencyDown(error: unknown): boolean {
  if (error instanceof ServiceError) return error.code === 'unavailable' || error.code === 'deadline_exceeded';
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  return (code !== undefined && outageCodes.test(code)) || outageMessages.test(message);
}
