import { create } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { CallerSchema } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { TestClock } from '@na/testing';
import type { Problem } from '../http/problem.js';
import { HitIntake } from './hit-intake.js';

const sender = { caller: create(CallerSchema, { workspaceId: 'ws_1', address: '192.0.2.1' }), userAgent: 'Mozilla/5.0' };
const pages = { unknownAmong: async () => new Set<string>() };
const raw = (hitId: string, index: number) => ({ pointer: `/hits/${index}`, value: { type: 'pageview', url: 'https://example.com', hit_id: hitId } });

test('when some hits could not be stored, nothing half is said: each is told apart, and the answer is that of an outage', async () => {
  const store = {
    publish: async ({ id }: { id: string }) => {
      if (id === 'ws_1:lost') throw new ServiceError('unavailable', 'The bus is away.');
    },
  };
  const clock = new TestClock();
  const intake = new HitIntake(store, pages, clock, Buffer.alloc(32));
  const failure = (await intake.take([raw('kept', 0), raw('lost', 1), { pointer: '/hits/2', value: 1 }], sender).catch((error: unknown) => error)) as Problem;
  expect(failure.code).toBe('unavailable');
  expect(failure.members.results).toMatchObject([
    { hit_id: 'kept', status: 'accepted' },
    { hit_id: 'lost', occurred_at: clock.now().toISOString(), status: 'unconfirmed' },
    { hit_id: null, status: 'rejected' },
  ]);
});
