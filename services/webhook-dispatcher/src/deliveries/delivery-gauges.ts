// What is looked up when metrics are collected: how much there is to do, and how late it is. What is counted as it happens
// is in delivery-metrics.ts.
import { metrics, type BatchObservableResult, type Observable } from '@opentelemetry/api';
import type { Bus } from '@na/messaging';
import type { Host } from '@na/service-host';
import type { DataSource } from 'typeorm';
import { atMost } from './at-most.js';
import { eventsConsumer } from './events.consumer.js';
import type { Lanes } from './lanes.js';
import type { Recorder } from './recorder.js';
import type { ScheduleStore } from './schedule-store.js';
import { countUnfinished } from './unfinished.js';

const meter = metrics.getMeter('webhook-dispatcher');

/** A database or bus that hangs must not take the other metrics with it, just when they are needed. What is not answered keeps its last value. */
const patienceMs = 2_000;

const inFlight = gauge('webhook.lanes.in_flight', '{attempt}', 'Attempts that this replica has in flight.');
const waiting = gauge('webhook.lanes.waiting', '{delivery}', 'Deliveries that wait in the memory of this replica.');
const paused = gauge('webhook.lanes.paused', '{endpoint}', 'Endpoints that this replica leaves alone for now, because they fail or asked for it.');
const unrecorded = gauge('webhook.record.backlog', '{attempt}', 'Attempts that were made and are not in the database yet.');
const lag = gauge('webhook.schedule.lag', 's', 'Since when the delivery that is due for longest has been due, of endpoints with room.');
const unfinished = gauge('webhook.schedule.unfinished', '{delivery}', 'Deliveries that will be attempted again, or for the first time; 100,000 stands for all above.');
const unread = gauge('webhook.events.unread', '{event}', 'Events on the bus that no replica has been handed yet.');
const unacknowledged = gauge('webhook.events.unacknowledged', '{event}', 'Events that a replica has, and whose deliveries are not all in the table yet.');

export interface Pipeline {
  everywhere: DataSource;
  schedule: ScheduleStore;
  lanes: Lanes;
  recorder: Recorder;
}

/** Until the stop, collecting metrics looks at these. The lag and what is unfinished are the same from every replica. */
export function observePipeline({ everywhere, schedule, lanes, recorder }: Pipeline, host: Host): void {
  observe(host, [inFlight, waiting, paused, unrecorded], (result) => {
    const load = lanes.load();
    result.observe(inFlight, load.inFlight);
    result.observe(waiting, load.waiting);
    result.observe(paused, load.pausedEndpoints);
    result.observe(unrecorded, recorder.backlog);
  });

  const nextDueAt = atMost(patienceMs, () => schedule.nextDueAt(lanes.full()));
  let onTimeUntil = host.clock.now();
  observe(host, [lag], async (result) => {
    const next = await nextDueAt();
    const now = host.clock.now();
    // While nobody can say what is due, nothing that is due is attempted either: the lag grows.
    if (next) onTimeUntil = next.value && next.value < now ? next.value : now;
    result.observe(lag, (now.getTime() - onTimeUntil.getTime()) / 1_000);
  });

  const count = atMost(patienceMs, () => countUnfinished(everywhere));
  observe(host, [unfinished], async (result) => {
    const counted = await count();
    for (const [status, deliveries] of Object.entries(counted?.value ?? {})) result.observe(unfinished, deliveries, { status });
  });
}

/** The same for what waits on the bus. */
export function observeEvents({ manager }: Bus, host: Host): void {
  const read = atMost(patienceMs, () => manager.consumers.info(eventsConsumer.stream.name, eventsConsumer.durable));
  observe(host, [unread, unacknowledged], async (result) => {
    const info = await read();
    if (!info) return;
    result.observe(unread, info.value.num_pending);
    result.observe(unacknowledged, info.value.num_ack_pending);
  });
}

function observe(host: Host, gauges: Observable[], read: (result: BatchObservableResult) => void | Promise<void>): void {
  meter.addBatchObservableCallback(read, gauges);
  host.onStop('gauges', () => meter.removeBatchObservableCallback(read, gauges));
}

function gauge(name: string, unit: string, description: string): Observable {
  return meter.createObservableGauge(name, { unit, description });
}
