// Without a lease nothing remembered counts: key-management is asked about every request, or the request is refused.
import { afterEach, expect, test } from '@jest/globals';
import { GatewayLeaseService, rpcSubject } from '@na/contracts';
import { createLogger } from '@na/service-host';
import { eventually } from '@na/testing';
import { FakeState } from './fake-services.js';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
afterEach(() => gateway.stop());

const logged: { level: string; msg: string }[] = [];
const logger = createLogger('gateway', 'info', { write: (line) => void logged.push(JSON.parse(line)) });

async function startWith(leaseMs: number): Promise<void> {
  logged.length = 0;
  gateway = await GatewayBed.start({}, Object.assign(new FakeState(), { leaseMs }), logger);
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

test('a renewal is not late to a key-management whose clock is more than a second ahead', async () => {
  await startWith(0);
  const { connection } = gateway.bed.bus;
  const allowedMs = Promise.withResolvers<number>();
  const renewals = connection.subscribe(rpcSubject(GatewayLeaseService.method.renewLease), {
    callback: (_, { headers }) => allowedMs.resolve(Number(headers!.get('na-deadline')) - Date.now()),
  });
  expect(await allowedMs.promise).toBeGreaterThan(1_000);
  renewals.unsubscribe();
});

test('renewals that fail are told of as a warning, once when it begins and once when it is over', async () => {
  await startWith(0);
  const warnings = () => logged.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
  const renewals = gateway.bed.bus.connection.subscribe(rpcSubject(GatewayLeaseService.method.renewLease), { max: 3 });
  const tries: string[] = [];
  // Each comes once the one before it has failed.
  for await (const { subject } of renewals) tries.push(subject);
  expect(tries).toHaveLength(3);
  expect(warnings()).toEqual(['the lease could not be renewed: it is tried again and again']);
  gateway.state.leaseMs = 60_000;
  await gateway.holdsLease();
  await eventually(async () => expect(warnings().slice(1)).toEqual(['the lease could be renewed again']));
});
