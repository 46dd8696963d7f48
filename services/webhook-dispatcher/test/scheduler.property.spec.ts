import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SchedulerRun } from './scheduler-run.js';
import { faultsOf } from './scheduler-rules.js';
import { scenarios, treacherous } from './scheduler-scenario.js';
import { SchedulerStage } from './scheduler-stage.js';

// SCHEDULER_RUNS, SCHEDULER_SEED and SCHEDULER_PATH: how many scenarios at random, and from where; a failure prints the latter two.
const runs = Number(process.env.SCHEDULER_RUNS ?? 8);
const seed = process.env.SCHEDULER_SEED === undefined ? undefined : Number(process.env.SCHEDULER_SEED);
const path = process.env.SCHEDULER_PATH;
/** A failure is made smaller by playing scenarios again: no longer than this, with what the runs themselves take. */
const limitMs = 60_000 + runs * 10_000;

let stage: SchedulerStage;
beforeAll(async () => void (stage = await SchedulerStage.open()));
afterAll(() => stage.close());

test(
  'whatever endpoints answer, people do and processes die of, every delivery comes to its one end, by the attempts that its log shows',
  () =>
    fc.assert(
      fc.asyncProperty(scenarios, async (played) => {
        const run = new SchedulerRun(stage, played);
        const faults = await run.play().then(faultsOf, (error: Error) => [error.message]);
        expect([...faults, ...(faults.length > 0 ? ['What happened:', ...run.story] : [])]).toEqual([]);
      }),
      { examples: treacherous.map((one) => [one]), numRuns: treacherous.length + runs, seed, path, interruptAfterTimeLimit: limitMs, markInterruptAsFailure: true },
    ),
  limitMs + 30_000,
);
