// JSON logs on standard output: one line per event, the trace it belongs to, secrets cut out wherever they turn up.
import { trace } from '@opentelemetry/api';
import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import { redact } from './redact.js';

export type { Logger };

export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['authorization', '*.authorization', 'secret', '*.secret', 'password', '*.password'], censor: '[redacted]' },
      serializers: { err: describeError },
      mixin: traceIds,
      hooks: { streamWrite: redact },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** Only these: a database error also carries the query's parameters, which are customers' data. */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, code, cause } = error as Error & { code?: unknown };
  return { type: name, message, code, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}

function traceIds(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** Nest's own messages through the service's logger: its start-up chatter at debug, its complaints at their level. */
export function nestLogger(logger: Logger): LoggerService {
  const at = (level: 'debug' | 'warn' | 'error') => (message: unknown, ...context: unknown[]) => {
    const source = context.at(-1);
    logger[level]({ source, err: message instanceof Error ? message : undefined }, String(message));
  };
  return { log: at('debug'), verbose: at('debug'), debug: at('debug'), warn: at('warn'), error: at('error'), fatal: at('error') };
}
