// What waits for room, with stand-ins for the lanes and the database.
import { expect, jest, test } from '@jest/globals';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { newEvent, type EnvelopeSchema } from '@na/contracts';
import type { Received } from '@na/messaging';
import { systemClock } from '@na/service-host';
import { setImmediate as turn } from 'node:timers/promises';
import type { DueDelivery, Target } from './delivery.js';
import { FanOut, type NewDelivery } from './fan-out.js';
import type { Lanes } from './lanes.js';
import type { LoopLag } from './loop-lag.js';
import type { Subscription, Subscriptions } from './subscriptions.js';
import { WriteAhead } from './write-ahead.js';

const endpoint = (url: string) => ({ endpointId: 'we_1', url, ordered: false, retryPolicy: { maxAttempts: 1 } }) as Target;
const subscriptionTo = (url: string): Subscription[] => [{ eventTypes: ['*'], pageIds: [], target: endpoint(url) }];

function stage() {
  const started: DueDelivery[] = [];
  const written: NewDelivery[] = [];
  const state = { subscriptions: subscriptionTo('https://before.example'), isQuick: true, inserting: Promise.resolve() };
  const subscriptions = { known: () => state.subscriptions, of: async () => state.subscriptions };
  const lanes = { isQuick: () => state.isQuick, hasRoom: () => true, add: (delivery: DueDelivery) => started.push(delivery), bring: (arrival: Promise<unknown>) => arrival };
  const insert = async (_events: unknown, deliveries: NewDelivery[]) => {
    await state.inserting;
    written.push(...deliveries);
    return new Set(deliveries.map(({ id }) => id));
  };
  const writeAhead = new WriteAhead({ insert, onSlow: () => undefined, onLost: () => undefined }, systemClock, { ownMs: 0 } as LoopLag);
  const fanOut = new FanOut(subscriptions as unknown as Subscriptions, insert, lanes as unknown as Lanes, writeAhead, { isNew: () => true }, systemClock, () => undefined);
  const arrive = (id: string) => {
    const message = { ...newEvent({ type: 'page.created', workspaceId: 'ws_1', createdAt: new Date(), data: { pageId: 'page_1' } }), id };
    fanOut.handle([{ message, subject: '', sequence: 1, tries: 1, trace: ROOT_CONTEXT } satisfies Received<typeof EnvelopeSchema>]).catch(() => undefined);
  };
  let ended = 0;
  const endOne = async () => {
    started[ended++]!.unwritten!.become('recording');
    await turn();
  };
  const fill = () => {
    for (let i = 0; writeAhead.hasFreeRoom; i++) arrive(`evt_held_${i}`);
  };
  return { state, started, written, arrive, endOne, fill };
}

// Budgets would end meanwhile on a slow machine.
jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] });

test('an event that waits for room goes before all that come later', async () => {
  const { started, arrive, endOne, fill } = stage();
  fill();
  const held = started.length;
  arrive('evt_waits');
  for (let i = 0; i < held; i++) {
    arrive(`evt_late_${i}`);
    await endOne();
  }
  expect(started[held]!.eventId).toBe('evt_waits');
  const later = started.slice(held + 1).map(({ eventId }) => eventId);
  expect(later.length).toBeGreaterThan(0);
  expect(later).toEqual(later.map((_, i) => `evt_late_${i}`));
});

test('what has waited goes to its endpoint as it is by then', async () => {
  const { state, started, arrive, endOne, fill } = stage();
  fill();
  const held = started.length;
  arrive('evt_waits');
  state.subscriptions = subscriptionTo('https://after.example');
  for (let i = 0; i < held; i++) await endOne();
  expect(started.slice(held).map(({ target }) => target.url)).toEqual(['https://after.example']);
});

test('what has come to be slow is written, not attempted, and waits for no room', async () => {
  const { state, started, written, arrive, endOne, fill } = stage();
  fill();
  const held = started.length;
  arrive('evt_waits');
  state.isQuick = false;
  arrive('evt_slow');
  await turn();
  expect(written.map(({ eventId }) => eventId)).toEqual(['evt_slow']);
  for (let i = 0; i < held; i++) await endOne();
  expect(written.map(({ eventId }) => eventId)).toEqual(['evt_slow', 'evt_waits']);
});

test('events for an ordered endpoint come into the table in their order, however long the first of them takes', async () => {
  const { state, written, arrive } = stage();
  state.subscriptions = [{ ...state.subscriptions[0]!, target: { ...endpoint('https://ordered.example'), ordered: true } }];
  const first = Promise.withResolvers<void>();
  state.inserting = first.promise;
  arrive('evt_first');
  await turn();
  state.inserting = Promise.resolve();
  arrive('evt_second');
  await turn();
  expect(written).toEqual([]);
  first.resolve();
  await turn();
  expect(written.map(({ eventId }) => eventId)).toEqual(['evt_first', 'evt_second']);
});

test('what can not be written for an ordered endpoint holds up nothing that comes later', async () => {
  const { state, written, arrive } = stage();
  state.subscriptions = [{ ...state.subscriptions[0]!, target: { ...endpoint('https://ordered.example'), ordered: true } }];
  const failing = Promise.reject<void>(new Error('no database'));
  failing.catch(() => undefined);
  state.inserting = failing;
  arrive('evt_first');
  await turn();
  state.inserting = Promise.resolve();
  arrive('evt_second');
  await turn();
  expect(written.map(({ eventId }) => eventId)).toEqual(['evt_second']);
});
