// Without a lease nothing remembered counts: key-management is asked about every request, or the request is refused.
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '@na/testing';
import { FakeState } from './fake-services.js';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
afterEach(() => gateway.stop());

async function startWith(leaseMs: number): Promise<void> {
  gateway = await GatewayBed.start({}, Object.assign(new FakeState(), { leaseMs }));
  if (leaseMs > 0) await gateway.holdsLease();
}

const statusOf = async ({ headers }: TestKey) => (await gateway.get('/api/v1/event-types', headers)).status;

async function isAskedAbout(key: TestKey): Promise<boolean> {
  const before = gateway.state.verifications;
  await statusOf(key);
  return gateway.state.verifications > before;
}

/** No renewal succeeds from here on, and the lease in hand has run out. */
async function leaseLost(): Promise<void> {
  gateway.state.leaseMs = 0;
  const witness = gateway.newKey();
  await eventually(async () => expect([await isAskedAbout(witness), await isAskedAbout(witness)]).toEqual([true, true]));
}

test('a gateway that gets no lease works, and asks about every request', async () => {
  await startWith(0);
  const key = gateway.newKey();
  expect([await isAskedAbout(key), await isAskedAbout(key), await statusOf(key)]).toEqual([true, true, 200]);
});

test('what was remembered under one lease does not count under the next', async () => {
  await startWith(600);
  const key = gateway.newKey();
  expect(await statusOf(key)).toBe(200);
  await leaseLost();
  gateway.state.keys.get(key.id)!.status = 'revoked';
  gateway.state.leaseMs = 60_000;
  await gateway.holdsLease();
  expect(await statusOf(key)).toBe(401);
});

test('a verdict that was asked for under a lease that has run out since is not remembered', async () => {
  await startWith(600);
  const key = gateway.newKey();
  const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  gateway.state.holdVerdict = () => {
    gateway.state.holdVerdict = async () => undefined;
    asked.resolve();
    return released.promise;
  };
  const answer = statusOf(key);
  await asked.promise;
  await leaseLost();
  gateway.state.leaseMs = 60_000;
  await gateway.holdsLease();
  released.resolve();
  expect(await answer).toBe(200);
  expect(await isAskedAbout(key)).toBe(true);
});

test('cut off from the bus, a gateway refuses with 503 once its lease is over', async () => {
  await startWith(600);
  const key = gateway.newKey();
  expect(await statusOf(key)).toBe(200);
  await gateway.bed.killNats();
  await eventually(async () => expect(await statusOf(key)).toBe(503));
  await gateway.bed.startNatsAgain();
  await eventually(async () => expect(await statusOf(key)).toBe(200));
});
