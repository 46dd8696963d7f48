import { expect, test } from '@jest/globals';
import { systemClock } from '@na/service-host';
import type { DueDelivery } from './delivery.js';
import type { LoggedEvent } from './fan-out.js';
import type { LoopLag } from './loop-lag.js';
import { WriteAhead } from './write-ahead.js';

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
