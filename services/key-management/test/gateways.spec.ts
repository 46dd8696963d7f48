import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Key } from '@na/contracts';
import { FakeGateway } from './fake-gateway.js';
import { KeyManagementBed } from './key-management.bed.js';

type Answer = Parameters<typeof FakeGateway.start>[1];

/** A silent gateway is asked at 0, 200, 400 and 600 ms before its lease is called in at 666 ms. */
const keyLeaseMs = 2_000;

let service: KeyManagementBed;
const gateways: FakeGateway[] = [];
beforeAll(async () => void (service = await KeyManagementBed.start({ keyLeaseMs })));
afterAll(() => service.stop());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop();
});

const atOnce: Answer = (gateway, question) => gateway.applied(question);
const never: Answer = () => undefined;

async function startGateway(answer: Answer): Promise<FakeGateway> {
  const gateway = await FakeGateway.start(service, answer);
  gateways.push(gateway);
  // One that is well would renew for as long as the test takes on a busy machine.
  const longer = `UPDATE gateway_leases SET leased_until = leased_until + interval '1 minute' WHERE gateway_id = $1`;
  if (answer === atOnce) await service.sql.query(longer, [gateway.gatewayId]);
  return gateway;
}

async function newKey(overrides: Parameters<KeyManagementBed['newKey']>[1] = {}): Promise<Key> {
  return (await service.newKey(await service.newWorkspace(), overrides)).key;
}

test('a revocation is answered only when every gateway that holds a lease has applied it', async () => {
  const key = await newKey();
  const order: string[] = [];
  await startGateway(atOnce);
  await startGateway((gateway, question) => {
    if (gateway.asked.length < 2) return;
    order.push('applied');
    gateway.applied(question);
  });
  await service.revoke(key);
  order.push('answered');
  expect(order).toEqual(['applied', 'answered']);
  expect(gateways[0]!.asked[0]).toMatchObject({ keyId: key.id, workspaceId: key.workspaceId, version: 2 });
  // Neither was taken for silent: a lease that is called in is not renewed.
  for (const gateway of gateways) await gateway.renew();
});

test('a gateway that never answers delays a revocation until its lease is over, and no longer', async () => {
  const key = await newKey();
  const gateway = await startGateway(never);
  await service.revoke(key);
  expect(await gateway.leaseLeftMs()).toBeLessThanOrEqual(0);
});

test('a gateway that goes on renewing but no longer hears has its lease called in, and gets one again when that is over', async () => {
  const key = await newKey();
  let refused = 0;
  let renewal: Promise<unknown> | undefined;
  // One renewal at a time, as a gateway makes them.
  const renewOnce = (self: FakeGateway) => self.renew().catch(() => (refused += 1)).finally(() => (renewal = undefined));
  const gateway = await startGateway((self) => {
    if (refused === 0) renewal ??= renewOnce(self);
  });
  await service.revoke(key);
  expect(refused).toBe(1);
  expect(await gateway.leaseLeftMs()).toBeLessThanOrEqual(0);
  await gateway.renew();
  expect(await gateway.leaseLeftMs()).toBeGreaterThan(0);
});

test('a gateway that dies while it is asked delays a revocation for its lease at most', async () => {
  const key = await newKey();
  const gateway = await startGateway(never);
  const revoked = service.revoke(key);
  await gateway.askedTimes(1);
  await service.sql.query('DELETE FROM gateway_leases WHERE gateway_id = $1', [gateway.gatewayId]);
  expect((await revoked).status).toBe('revoked');
});

test('a gateway that has ended its lease is not asked', async () => {
  const key = await newKey();
  const gateway = await startGateway(never);
  await service.leases.endLease({ gatewayId: gateway.gatewayId });
  await service.revoke(key);
  expect(gateway.asked).toEqual([]);
});

test('whoever revokes again waits for the gateways too: the first one may have died before they knew', async () => {
  const key = await newKey();
  await service.revoke(key);
  const gateway = await startGateway(atOnce);
  await service.revoke(key);
  expect(gateway.asked).toMatchObject([{ keyId: key.id, version: 2 }]);
});

test.each<[string, (key: Key) => Promise<unknown>]>([
  ['fewer scopes', (key) => service.update(key, { scopes: ['pages:read'] })],
  ['an end', (key) => service.update(key, { expiresAt: service.in(60_000) })],
  ['a later start', (key) => service.update(key, { notBefore: service.in(60_000) })],
  ['fewer addresses', (key) => service.update(key, { allowedIps: ['10.0.0.1'] })],
  ['a lower limit', (key) => service.update(key, { rateLimit: { $typeName: 'keys.v1.RateLimit', limit: 1, windowSeconds: 60 } })],
  ['being switched off', (key) => service.update(key, { disabled: true })],
  ['a rotation without overlap', (key) => service.rotate(key)],
  ['a rotation with overlap', (key) => service.rotate(key, { overlapSeconds: 60 })],
])('%s is applied by every gateway before the answer', async (_what, change) => {
  const key = await newKey();
  const gateway = await startGateway(atOnce);
  await change(key);
  expect(gateway.asked).toMatchObject([{ keyId: key.id, version: 2 }]);
});

test('a suspension is applied by every gateway before the answer, for the workspace as a whole', async () => {
  const workspaceId = await service.newWorkspace();
  const gateway = await startGateway(atOnce);
  await service.workspaces.suspendWorkspace({ caller: service.operator(), id: workspaceId });
  expect(gateway.asked).toMatchObject([{ keyId: '', workspaceId, version: 2 }]);
});

test('what only widens a key, and a new key, wait for nobody', async () => {
  const gateway = await startGateway(never);
  const key = await newKey({ expiresAt: service.in(60_000) });
  await service.update(key, { name: 'Renamed', scopes: [...key.scopes, 'goals:read'], expiresAt: undefined });
  expect(gateway.asked).toEqual([]);
});

test('when leases can not be read the caller is told to repeat, and the key is revoked all the same', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace());
  await service.sql.query('ALTER TABLE gateway_leases RENAME TO gateway_leases_gone');
  const attempt = service.revoke(key);
  await expect(attempt).rejects.toMatchObject({ code: 'unavailable' });
  await service.sql.query('ALTER TABLE gateway_leases_gone RENAME TO gateway_leases');
  expect(await service.statusOf(key, secret)).toBe('revoked');
});

test('leases of gateways that are gone do not pile up', async () => {
  await service.sql.query(`INSERT INTO gateway_leases VALUES ('gone', now() - interval '2 minutes', false)`);
  await startGateway(atOnce);
  const { rows } = await service.sql.query(`SELECT 1 FROM gateway_leases WHERE gateway_id = 'gone'`);
  expect(rows).toEqual([]);
});
