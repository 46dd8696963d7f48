// The trace of a request while nobody records traces: its id still has to get from the request into the log lines, onto the
// bus and to the webhook. Where traces are recorded the instrumentation of HTTP does this, and makes a span with all its
// attributes: too dear for one that is thrown away. See service-host's telemetry/register.ts.
import { context, propagation, trace, TraceFlags, type Context } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    trace?: Context;
  }
}

const tracer = trace.getTracer('gateway');

/** Goes before all hooks that may log or call. */
export function carryUnrecordedTraces(fastify: FastifyInstance): void {
  fastify.decorateRequest('trace');
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (trace.getActiveSpan()) return done();
    // Not tracestate and baggage: text of the caller's own, that would be carried on to everywhere.
    const parent = propagation.extract(context.active(), { traceparent: request.headers.traceparent });
    request.trace = ofCaller(parent) ?? trace.setSpan(parent, tracer.startSpan('request', {}, parent));
    context.with(request.trace, done);
  });
  // A body comes by events of the connection, which know nothing of the request.
  fastify.addHook('preValidation', (request, _reply, done) => (request.trace ? context.with(request.trace, done) : done()));
}

/** The caller's own is carried on as it is: its receiver may be of those who record it. Only of the flags that mean something. */
function ofCaller(parent: Context): Context | undefined {
  const span = trace.getSpanContext(parent);
  return span && trace.setSpanContext(parent, { ...span, traceFlags: span.traceFlags & TraceFlags.SAMPLED });
}
