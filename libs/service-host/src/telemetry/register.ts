// Loaded with `node --import` before anything else, so that the modules it instruments are not yet in use.
// Silent by default: without OTEL_TRACES_EXPORTER a span is made only where a trace begins, and not sampled, so that trace ids
// still travel from the request to the webhook; metrics and logs are off.
import type { IncomingMessage } from 'node:http';
import { register } from 'node:module';
import { basename, resolve } from 'node:path';
import { trace, type Attributes } from '@opentelemetry/api';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { areTracesRecorded } from './recording.js';
import { noteSentTrace } from './sent-trace.js';
import { originOnly, withoutSecrets, withoutUrl } from './span-urls.js';

// services/<name>/dist/main.js
process.env.OTEL_SERVICE_NAME ??= basename(resolve(process.argv[1] ?? '.', '../..'));
// Not baggage: see `fromOutside`.
process.env.OTEL_PROPAGATORS ??= 'tracecontext';
process.env.OTEL_TRACES_EXPORTER ??= 'none';
process.env.OTEL_METRICS_EXPORTER ??= 'none';
process.env.OTEL_LOGS_EXPORTER ??= 'none';
process.env.OTEL_NODE_RESOURCE_DETECTORS ??= 'env,host';

if (!areTracesRecorded) process.env.OTEL_TRACES_SAMPLER ??= 'always_off';

const silentProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

/**
 * Called before the trace is read from the headers: it is that of `traceparent` and no more. `tracestate` and `baggage` are text
 * of the caller's own, which would be carried on over the bus and into the spans: a key that got there would be everywhere.
 */
function fromOutside(request: IncomingMessage): Attributes {
  delete request.headers.tracestate;
  return withoutSecrets(request);
}

const sdk = new NodeSDK({
  // The SDK makes no tracer at all without a processor, and then no trace ids either.
  spanProcessors: areTracesRecorded ? undefined : [silentProcessor],
  instrumentations: areTracesRecorded ? instrumentations() : [],
});
sdk.start();

/** Sends what has not been exported yet; the host calls it last on a stop. */
(globalThis as { [key: symbol]: unknown })[Symbol.for('na.telemetry.shutdown')] = () => sdk.shutdown();

/**
 * Of HTTP, undici and PostgreSQL. Only where traces are exported: it takes a second of every start, and a third of the gateway's
 * time, and the metrics that operators go by are the services' own. The gateway carries on traces that nobody records by itself:
 * http/unrecorded-trace.ts.
 */
function instrumentations(): Instrumentation[] {
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
  return [
    new HttpInstrumentation({ startIncomingSpanHook: fromOutside, startOutgoingSpanHook: withoutUrl }),
    // Of a trace that nobody records it would make, for each request, a span with all its attributes: a quarter of the
    // webhook dispatcher's time. Who sends a request in such a trace and wants it carried on sets the header.
    new UndiciInstrumentation({
      startSpanHook: ({ origin }) => originOnly(origin),
      ignoreRequestHook: () => !trace.getActiveSpan()?.isRecording(),
      requestHook: noteSentTrace,
    }),
    // A span per pooled connection handed out says nothing; a span outside any trace belongs to a poll nobody asked about.
    new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
  ];
}
