// The settings that every service has, those of every service with a database, and the shapes that settings are made of.
import { z } from 'zod';
import type { Setting } from './config.js';

const text = z.string().min(1, 'must not be empty');

export const port = text.regex(/^\d+$/, 'must be a port number').transform(Number).pipe(z.number().max(65_535, 'must be at most 65535'));

/** A whole number of some unit, within bounds. */
export function wholeNumber(min: number, max: number) {
  return text
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
}

/** Where clients reach something, without a slash at its end; undefined when nobody has said. */
export const publicUrl = z
  .literal('')
  .transform(() => undefined)
  .or(z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).transform((url) => url.replace(/\/+$/, '')));

/** Entries separated by commas; spaces around them and empty entries are dropped. */
export const list = z.string().transform((value) => value.split(',').map((entry) => entry.trim()).filter((entry) => entry !== ''));

/** A list that `parse` makes something of. What it throws becomes the fault that the operator sees: it must name no secret. */
export function listOf<T>(parse: (entries: string[]) => T) {
  return list.transform((entries, context): T => {
    try {
      return parse(entries);
    } catch (error) {
      context.issues.push({ code: 'custom', message: (error as Error).message, input: '' });
      return z.NEVER;
    }
  });
}

export const serviceSettings = {
  natsUrl: {
    description: 'Where NATS is: nats://[user:password@]host:port, several separated by commas.',
    schema: text,
    secret: true,
  } satisfies Setting,
  streamReplicas: {
    description: 'Copies of each JetStream stream: 1 on a single server, 3 on a cluster.',
    schema: wholeNumber(1, 5),
    default: '1',
  } satisfies Setting,
  healthPort: {
    description: 'Internal port of /health/live and /health/ready; 0 takes a free one. Never expose it.',
    schema: port,
    default: '9090',
  } satisfies Setting,
  healthHost: {
    description: 'Address the internal port listens on.',
    schema: text,
    default: '127.0.0.1',
  } satisfies Setting,
  logLevel: {
    description: 'Least level that is logged: fatal, error, warn, info, debug or trace.',
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']) as unknown as z.ZodType<string, string>,
    default: 'info',
  } satisfies Setting,
  stopTimeoutSeconds: {
    description: 'How long a stop may wait for work in flight before the process ends all the same. Longer than a webhook attempt may take, which is 30 s.',
    schema: wholeNumber(1, 600),
    default: '40',
  } satisfies Setting,
};

/** A service with a database spreads these into its own settings. */
export const databaseSettings = {
  databaseUrl: {
    description: "The service's own PostgreSQL role and database: postgres://role:password@host:port/database.",
    schema: text.regex(/^postgres(ql)?:\/\//, 'must start with postgres://'),
    secret: true,
  } satisfies Setting,
  databasePoolSize: {
    description: 'Most PostgreSQL connections one process opens.',
    schema: wholeNumber(1, 200),
    default: '10',
  } satisfies Setting,
};
