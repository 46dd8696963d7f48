// What becomes of a message whose handler failed. A pure rule: the consumer applies it.
import { ServiceError } from '@na/service-error';

export type Settlement = { kind: 'retry'; delayMs: number } | { kind: 'dead-letter' };

/** How often the handling of one message has failed, the last time included. */
export interface Failures {
  all: number;
  /** Those that the message or its handler may be to blame for. */
  suspicious: number;
}

/** A message that its handler calls wrong is no better the next time. */
const hopelessCodes = ['invalid_request', 'not_found', 'unprocessable', 'conflict'];

/** @returns a retry with delays of 0.5, 1, 2, 4, … at most 30 s, or the dead-letter stream */
export function settleFailure(error: unknown, failures: Failures, maxTries: number): Settlement {
  if (error instanceof ServiceError && hopelessCodes.includes(error.code)) return { kind: 'dead-letter' };
  if (isSuspicious(error) && failures.suspicious >= maxTries) return { kind: 'dead-letter' };
  return { kind: 'retry', delayMs: Math.min(30_000, 500 * 2 ** Math.min(failures.all - 1, 10)) };
}

/** PostgreSQL: data exceptions, violated constraints, exceeded limits of a statement or row. */
const dataErrorClasses = /^(22|23|54)/;

/** What pg and TypeORM say, without a code, when a connection breaks between two statements. */
const outageMessages = /connection (is )?terminated|timeout exceeded when trying to connect|query runner already released|connection error|client was closed/i;

/**
 * Whether a failure may come from the message or its handler. An error without a code is a bug in the handler. Whatever
 * else has a code — a failover, a full disk, a changed password, a deadlock — is the surroundings', and passes: a list of
 * outages would never be complete, and each one missing from it would cost accepted messages.
 */
export function isSuspicious(error: unknown): boolean {
  if (error instanceof ServiceError) return false;
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string };
  return code === undefined ? !outageMessages.test(message) : typeof code === 'string' && code.length === 5 && dataErrorClasses.test(code);
}
