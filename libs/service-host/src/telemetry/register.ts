// Loaded with `node --import` before anything else, so that the modules it instruments are not yet in use.
// Silent by default: without OTEL_TRACES_EXPORTER spans are made but not sampled, so that trace ids still travel from
// the request to the webhook; metrics and logs are off.
import { register } from 'node:module';
import { basename, resolve } from 'node:path';
import { trace } from '@opentelemetry/api';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { originOnly, withoutQuery, withoutUrl } from './span-urls.js';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

// services/<name>/dist/main.js
process.env.OTEL_SERVICE_NAME ??= basename(resolve(process.argv[1] ?? '.', '../..'));
process.env.OTEL_TRACES_EXPORTER ??= 'none';
process.env.OTEL_METRICS_EXPORTER ??= 'none';
process.env.OTEL_LOGS_EXPORTER ??= 'none';
process.env.OTEL_NODE_RESOURCE_DETECTORS ??= 'env,host';

const exported = process.env.OTEL_TRACES_EXPORTER !== 'none';
if (!exported) process.env.OTEL_TRACES_SAMPLER ??= 'always_off';

const silentProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

const sdk = new NodeSDK({
  // The SDK makes no tracer at all without a processor, and then no trace ids either.
  spanProcessors: exported ? undefined : [silentProcessor],
  instrumentations: [
    // Of a trace that nobody records it would make, for each request, a span with all its attributes: a quarter of the
    // webhook dispatcher's time. Who sends a request in such a trace and wants it carried on sets the header.
    new UndiciInstrumentation({ startSpanHook: ({ origin }) => originOnly(origin), ignoreRequestHook: () => !trace.getActiveSpan()?.isRecording() }),
    // The same holds for requests that come in: the gateway carries on traces that nobody records (http/unrecorded-trace.ts).
    ...(exported ? [new HttpInstrumentation({ startIncomingSpanHook: withoutQuery, startOutgoingSpanHook: withoutUrl })] : []),
    // A span per pooled connection handed out says nothing; a span outside any trace belongs to a poll nobody asked about.
    new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
  ],
});
sdk.start();

/** Sends what has not been exported yet; the host calls it last on a stop. */
(globalThis as { [key: symbol]: unknown })[Symbol.for('na.telemetry.shutdown')] = () => sdk.shutdown();
