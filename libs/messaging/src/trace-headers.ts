// Carries the trace over the bus. No instrumentation for NATS exists, so it is injected and extracted by hand, here only.
import { context, propagation, SpanKind, SpanStatusCode, trace, type Context, type Link } from '@opentelemetry/api';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { areTracesRecorded } from '@na/service-host';

const tracer = trace.getTracer('@na/messaging');

export interface SpanDescription {
  name: string;
  kind: SpanKind;
  attributes: Record<string, string | number>;
  parent?: Context;
  links?: Link[];
}

/** Fresh headers that carry the active trace. */
export function traceHeaders(from: Context = context.active()): MsgHdrs {
  const carrier = headers();
  propagation.inject(from, carrier, { set: (hdrs, key, value) => hdrs.set(key, value) });
  return carrier;
}

/** The trace a message came with, or the root context. */
export function traceOf(carrier: MsgHdrs | undefined): Context {
  if (!carrier) return context.active();
  return propagation.extract(context.active(), carrier, {
    keys: (hdrs) => [...hdrs.keys()],
    get: (hdrs, key) => hdrs.get(key) || undefined,
  });
}

/** Runs `work` inside a span that records its failure; in the parent's, where that only carries on a trace that nobody records. */
export function inSpan<T>(span: SpanDescription, work: () => Promise<T>): Promise<T> {
  const { name, kind, attributes, links, parent = context.active() } = span;
  if (!areTracesRecorded && trace.getSpanContext(parent)) return context.with(parent, work);
  return tracer.startActiveSpan(name, { kind, attributes, links }, parent, async (active) => {
    try {
      return await work();
    } catch (error) {
      active.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      active.end();
    }
  });
}
