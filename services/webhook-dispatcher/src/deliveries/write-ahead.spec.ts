import { afterEach, expect, jest, test } from '@jest/globals';
import { systemClock } from '@na/service-host';
import { setImmediate as turn } from 'node:timers/promises';
import type { DueDelivery } from './delivery.js';
import type { LoggedEvent } from './fan-out.js';
import type { LoopLag } from './loop-lag.js';
import { WriteAhead } from './write-ahead.js';

afterEach(() => void jest.useRealTimers());

test('a delivery that could not be inserted is let go of, and its event is not taken for dealt with', async () => {
  const lost: DueDelivery[] = [];
  const insert = () => Promise.reject(new Error('the database is away'));
  const writeAhead = new WriteAhead({ insert, onSlow: () => undefined, onLost: (delivery) => lost.push(delivery) }, systemClock, { ownMs: 0 } as LoopLag);
  const delivery = { id: 'dlv_1' } as DueDelivery;
  const dealtWith = expect(writeAhead.hold(delivery, {} as LoggedEvent)).rejects.toThrow('the database is away');
  await expect(writeAhead.write([delivery])).rejects.toThrow('the database is away');
  await dealtWith;
  expect(lost).toEqual([delivery]);
});

test('room is given in turn, several places at a time, and who needs less than there is lets the next one in', async () => {
  // Budgets would end meanwhile on a slow machine.
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] });
  const work = { insert: () => Promise.resolve(), onSlow: () => undefined, onLost: () => undefined };
  const writeAhead = new WriteAhead(work, systemClock, { ownMs: 0 } as LoopLag);
  const held: DueDelivery[] = [];
  const hold = () => {
    const delivery = {} as DueDelivery;
    void writeAhead.hold(delivery, {} as LoggedEvent);
    held.push(delivery);
  };
  while (writeAhead.hasFreeRoom) hold();
  const told: string[] = [];
  const waiting = ['first', 'second', 'third'].map(async (name) => {
    await writeAhead.room();
    told.push(name);
    // All that is left.
    if (name === 'second') while (writeAhead.hasRoom) hold();
    writeAhead.passOn();
  });
  const release = async () => {
    held.shift()!.unwritten!.become('recording');
    await turn();
  };

  await release();
  expect(writeAhead.hasRoom).toBe(true);
  // Nobody goes before those who wait.
  expect(writeAhead.hasFreeRoom).toBe(false);
  expect(told).toEqual([]);
  while (told.length === 0) await release();
  expect(told).toEqual(['first', 'second']);
  while (told.length === 2) await release();
  await Promise.all(waiting);
  expect(told).toEqual(['first', 'second', 'third']);
  expect(writeAhead.hasFreeRoom).toBe(true);
});
