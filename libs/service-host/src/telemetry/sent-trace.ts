// Tells who sends a request which trace it carried. Of a trace that is recorded undici's instrumentation makes a span for the request
// and puts that one's headers in, where the sender does not see them.
import { context, createContextKey, propagation, trace, type Context, type Span } from '@opentelemetry/api';

type Headers = Record<string, string>;

const key = createContextKey('na.telemetry.sent-trace');

/** @returns the active context; requests that are made in it leave the trace headers that are put into them in `headers`, the last one its own */
export function notingSentTrace(headers: Headers): Context {
  return context.active().setValue(key, headers);
}

/** For the instrumentation, before it puts the headers of `span` into a request. */
export function noteSentTrace(span: Span): void {
  const headers = context.active().getValue(key) as Headers | undefined;
  if (headers) propagation.inject(trace.setSpan(context.active(), span), headers);
}
