// The pipeline, put together: fan-out and due loop fill the lanes, lanes attempt, the recorder writes down.
import type { Host } from '@na/service-host';
import type { DataSource } from 'typeorm';
import type { SecretBox } from '../endpoints/secret-box.js';
import type { EndpointSignal } from '../health/health-store.js';
import { AttemptStore, type Health } from './attempt-store.js';
import { deliver } from './deliver.js';
import { DueLoop } from './due-loop.js';
import { FanOut } from './fan-out.js';
import { FanOutStore } from './fan-out-store.js';
import { Lanes, type LanesOptions } from './lanes.js';
import { Recorder } from './recorder.js';
import type { Replica } from './replica.js';
import { ScheduleStore } from './schedule-store.js';
import type { Send } from './send.js';
import { WriteAhead } from './write-ahead.js';

export interface PipelineParts {
  database: DataSource;
  secrets: SecretBox;
  replica: Replica;
  send: Send;
  health: Health<EndpointSignal>;
  limits: LanesOptions;
}

export interface Pipeline {
  fanOut: FanOut;
  /** Call when deliveries may have become due. */
  wake: () => void;
}

/** Starts it and registers its stop: nothing new is taken, what is in flight ends and is recorded, leases are given back. */
export function startPipeline({ database, secrets, replica, send, health, limits }: PipelineParts, host: Host): Pipeline {
  const { clock, logger } = host;
  const attempts = new AttemptStore(database, health);
  const schedule = new ScheduleStore(database, secrets, replica.number);

  const fanOutStore = new FanOutStore(database, secrets, replica.number);
  const writeAhead = new WriteAhead((events, deliveries, now) => fanOutStore.insert(events, deliveries, now), clock);

  const recorder = new Recorder(async (batch) => {
    await attempts.record(batch);
    for (const { next, delivery } of batch) {
      if (next.kind === 'retry') dueLoop.expect(next.at);
      else if (delivery.target.ordered) wake();
    }
  }, logger);
  host.onStop('recorder', () => recorder.drain());

  const lanes = new Lanes(
    limits,
    {
      attempt: async (delivery) => {
        if (!replica.mayUseLeases) return undefined;
        return deliver(delivery, { send, record: (attempted) => recorder.record(attempted), clock, random: Math.random, logger });
      },
      // What can't be given back is found when its lease ends.
      giveBack: async (deliveries, until) => {
        try {
          await writeAhead.write(deliveries);
          await schedule.giveBack(deliveries, until);
        } catch (error) {
          logger.warn({ err: error }, 'leases could not be given back');
        }
      },
      onRoom: () => wake(),
      replicas: () => replica.count,
    },
    clock,
  );
  host.onStop('lanes', () => lanes.stop());

  const dueLoop: DueLoop = new DueLoop(schedule, replica, recorder, lanes, clock, logger);
  const wake = () => dueLoop.expect(clock.now());
  dueLoop.start();
  host.onStop('due loop', () => dueLoop.stop());

  return { fanOut: new FanOut(fanOutStore, lanes, writeAhead, clock, wake), wake };
}
