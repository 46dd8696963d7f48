import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { eventSubject, streams } from '@na/contracts';
import { eventually } from '@na/testing';
import { aHit, newWorkspace, send, startReportingBed, until, whileABatchIsStuck, type ReportingBed } from './reporting-bed.js';

const telemetry = new NodeSDK({ instrumentations: [], autoDetectResources: false, spanProcessors: [], metricReaders: [], logRecordProcessors: [] });
let reporting: ReportingBed;
beforeAll(async () => {
  telemetry.start();
  reporting = await startReportingBed();
});
afterAll(async () => {
  await reporting.stop();
  await telemetry.shutdown();
});

function traceWithId(traceId: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED });
}

/** Once it is on the bus. */
function traceparentOfConversion(workspaceId: string): Promise<string> {
  return eventually(async () => {
    const message = await reporting.bed.bus.manager.streams.getMessage(streams.events.name, { last_by_subj: eventSubject(workspaceId, 'goal.converted') });
    if (!message) throw new Error('no conversion has been published');
    return message.header.get('traceparent');
  });
}

/** Hits handed to the service and not acknowledged. */
async function takenByReporting(): Promise<number> {
  return (await reporting.bed.bus.manager.consumers.info(streams.hits.name, 'reporting-hits')).num_ack_pending;
}

test('the event of a conversion carries on the trace of its own hit, also when hits of many traces come in one batch', async () => {
  const sent = ['1', '2', '3'].map((digit) => ({ ...newWorkspace(), traceId: digit.repeat(32) }));
  for (const { caller } of sent) await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup' });
  await whileABatchIsStuck(reporting, aHit(newWorkspace().workspaceId), async () => {
    for (const { workspaceId, traceId } of sent) await send(reporting, aHit(workspaceId), { trace: traceWithId(traceId) });
    await until(async () => (await takenByReporting()) === 1 + sent.length);
  });
  for (const { workspaceId, traceId } of sent) expect(await traceparentOfConversion(workspaceId)).toContain(traceId);
});
