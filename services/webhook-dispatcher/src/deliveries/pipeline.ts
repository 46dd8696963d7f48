// The pipeline, put together: fan-out and due loop fill the lanes, lanes attempt, the recorder writes down.
import type { Host } from '@na/service-host';
import type { DataSource } from 'typeorm';
import type { SecretBox } from '../endpoints/secret-box.js';
import type { EndpointSignal } from '../health/health-store.js';
import { AttemptStore, type Health } from './attempt-store.js';
import { deliver } from './deliver.js';
import { observePipeline } from './delivery-gauges.js';
import { countAttempt, timeRecording } from './delivery-metrics.js';
import type { AttemptedDelivery, DueDelivery } from './delivery.js';
import { DirectAttempts } from './direct-attempts.js';
import { DueLoop } from './due-loop.js';
import { FanOut, type InsertDeliveries } from './fan-out.js';
import { FanOutStore } from './fan-out-store.js';
import { FirstHandedOut } from './first-handed-out.js';
import { Lanes, type LanesOptions } from './lanes.js';
import { LoopLag } from './loop-lag.js';
import { Recorder } from './recorder.js';
import type { Replica } from './replica.js';
import type { Call, Held, ReplicaCalls } from './replica-calls.js';
import { ScheduleStore } from './schedule-store.js';
import type { Send } from './send.js';
import { Subscriptions } from './subscriptions.js';
import { WriteAhead } from './write-ahead.js';

export interface PipelineParts {
  /** See `openAcrossWorkspaces`: all of it works on many workspaces at once, and no delivery waits for a scope to be set. */
  everywhere: DataSource;
  secrets: SecretBox;
  replica: Replica;
  calls: ReplicaCalls;
  send: Send;
  health: Health<EndpointSignal>;
  limits: LanesOptions;
  /** Of the stream of events, by now. */
  lastSequence: () => Promise<number>;
}

export interface Pipeline {
  fanOut: FanOut;
  /** Call when deliveries may have become due. */
  wake: () => void;
  direct: DirectAttempts;
  /** Attempts a delivery that has just been made due before all else that waits for its endpoint. Never rejects. */
  attemptFirst: (id: string, eventAt: Date) => Promise<void>;
}

/** Starts it and registers its stop: nothing new is taken, what is in flight ends and is recorded, leases are given back. */
export async function startPipeline({ everywhere, secrets, replica, calls, send, health, limits, lastSequence }: PipelineParts, host: Host): Promise<Pipeline> {
  const { clock, logger } = host;
  const attempts = new AttemptStore(everywhere, health);
  const schedule = new ScheduleStore(everywhere, secrets, replica.number);

  const fanOutStore = new FanOutStore(everywhere, secrets, replica.number);
  const subscriptions = new Subscriptions((workspaceIds) => fanOutStore.subscriptionsOf(workspaceIds));
  // An event that comes again may find its delivery as it was before an attempt that is only being recorded.
  const insert: InsertDeliveries = async (events, deliveries, now) => {
    const [fresh, isAttempted] = await recorder.watchDuring(() => fanOutStore.insert(events, deliveries, now));
    return new Set([...fresh].filter((id) => !isAttempted(id)));
  };
  const lag = new LoopLag();
  host.onStop('loop lag', () => lag.stop());
  const work = { insert, onSlow: (delivery: DueDelivery) => lanes.noteSlow(delivery), onLost: ({ id, target }: DueDelivery) => lanes.drop(target.endpointId, id) };
  const writeAhead = new WriteAhead(work, clock, lag);

  const recorder = new Recorder(async (batch, kind, isRepeat) => {
    await timeRecording(() => attempts.record(batch, kind, isRepeat));
    for (const { next, delivery: { target } } of batch) {
      if (next.kind === 'retry' && !lanes.isPausedAt(target.endpointId, next.at)) dueLoop.expect(next.at);
      if (next.kind !== 'retry' && target.ordered) wake();
    }
  }, logger);
  host.onStop('recorder', () => recorder.drain());

  const record = (attempted: AttemptedDelivery) => {
    countAttempt(attempted);
    return recorder.record(attempted);
  };
  const attempt = (delivery: DueDelivery) => deliver(delivery, { send, record, clock, random: Math.random, logger });
  const direct = new DirectAttempts(replica.number, attempt);
  host.onStop('direct attempts', () => direct.settled());
  const lanes: Lanes = new Lanes(
    limits,
    {
      attempt: async (delivery) => (replica.mayUseLeases ? attempt(delivery) : undefined),
      // What can't be given back is found when its lease ends.
      giveBack: async (deliveries, until) => {
        try {
          await writeAhead.write(deliveries);
          // Those whose budget has just ended are on their way into the database: until they are there, nothing can be given back.
          await Promise.allSettled(deliveries.flatMap(({ unwritten }) => unwritten?.settled.promise ?? []));
          await schedule.giveBack(deliveries, until);
        } catch (error) {
          logger.warn({ err: error }, 'leases could not be given back');
        }
      },
      onRoom: () => wake(),
      onPause: (until) => dueLoop.expect(until),
      replicas: () => replica.count,
    },
    clock,
    lag,
  );
  host.onStop('lanes', () => lanes.stop());

  const dueLoop: DueLoop = new DueLoop(schedule, replica, recorder, lanes, clock, logger);
  const wake = () => dueLoop.expect(clock.now());
  dueLoop.start();
  host.onStop('due loop', () => dueLoop.stop());
  observePipeline({ everywhere, schedule, lanes, recorder }, host);

  const heard = async (call: Call) => {
    if (call.about === 'delivery') await lanes.withdrawOne(call.endpointId, call.deliveryId);
    else {
      subscriptions.forget(call.workspaceId);
      await lanes.withdraw(call.endpointId);
    }
    wake();
  };
  const hurry = ({ endpointId, deliveryId }: Held) => lanes.hurry(endpointId, deliveryId);
  const first = new FirstHandedOut(lastSequence);
  const trusting = [subscriptions, first];
  await calls.listen({ heard, hurry, lost: () => trusting.forEach((one) => one.distrust()), regained: () => trusting.forEach((one) => void one.trust()) });

  const attemptFirst = async (id: string, eventAt: Date) => {
    const claiming = recorder.holds(id) ? Promise.resolve(undefined) : schedule.claimOne(id, eventAt, clock.now());
    await lanes.bringUrgent(claiming).catch((error: unknown) => logger.warn({ err: error }, 'what a person wants attempted now is left to the schedule'));
    wake();
  };

  return { fanOut: new FanOut(subscriptions, insert, lanes, writeAhead, first, clock, wake), wake, direct, attemptFirst };
}
