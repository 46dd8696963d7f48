// What a gateway remembers of keys, and what it judges anew for each request.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { eventually } from '@na/testing';
import { makeKey } from '../src/auth/key-material.js';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  await gateway.holdsLease();
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.state.verifications = 0));

const path = '/api/v1/event-types';
const statusOf = async (headers: Record<string, string>) => (await gateway.get(path, headers)).status;
const withSecret = (key: TestKey, credential: string) => ({ ...key.headers, authorization: `Bearer ${credential}` });

test('a key is asked about once, and then remembered', async () => {
  const { headers } = gateway.newKey();
  for (let i = 0; i < 5; i++) expect(await statusOf(headers)).toBe(200);
  expect(gateway.state.verifications).toBe(1);
});

test('fifty requests at once with a key that nobody remembers cost one look-up', async () => {
  const { headers } = gateway.newKey();
  const held = Promise.withResolvers<void>();
  gateway.state.holdVerdict = () => held.promise;
  const answers = Array.from({ length: 50 }, () => statusOf(headers));
  await eventually(async () => expect(gateway.state.verifications).toBeGreaterThan(0));
  held.resolve();
  expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
  expect(gateway.state.verifications).toBe(1);
});

test('a wrong secret of a remembered key is refused each time, and takes nothing from the right one', async () => {
  const key = gateway.newKey();
  const wrong = withSecret(key, makeKey(key.id, randomBytes(32)).credential);
  expect(await statusOf(key.headers)).toBe(200);
  expect([await statusOf(wrong), await statusOf(wrong)]).toEqual([401, 401]);
  expect(gateway.state.verifications).toBe(3);
  expect(await statusOf(key.headers)).toBe(200);
  expect(gateway.state.verifications).toBe(3);
});

test('during a rotation both secrets are remembered, and the old one dies to the millisecond', async () => {
  const key = gateway.newKey();
  const old = makeKey(key.id, randomBytes(32));
  gateway.state.keys.get(key.id)!.previous = { secretDigest: old.secretDigest, expiresAt: new Date(gateway.bed.clock.now().getTime() + 1_000) };
  const before = withSecret(key, old.credential);
  for (const headers of [key.headers, before, key.headers, before]) expect(await statusOf(headers)).toBe(200);
  expect(gateway.state.verifications).toBe(2);
  gateway.bed.clock.advance(999);
  expect([await statusOf(key.headers), await statusOf(before)]).toEqual([200, 200]);
  expect(gateway.state.verifications).toBe(2);
  gateway.bed.clock.advance(1);
  expect([await statusOf(key.headers), await statusOf(before)]).toEqual([200, 401]);
});

test('a scope that a remembered key has just got counts at once', async () => {
  const key = gateway.newKey({ scopes: [] });
  expect((await gateway.get('/api/v1/pages', key.headers)).status).toBe(403);
  gateway.state.keys.get(key.id)!.scopes = ['pages:read'];
  expect((await gateway.get('/api/v1/pages', key.headers)).status).toBe(200);
});

test('a key is good from its addresses only, and whoever lacks the secret does not learn of them', async () => {
  const key = gateway.newKey({ allowedIps: ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7'] });
  const from = (address: string, headers = key.headers) => gateway.get(path, { ...headers, 'x-forwarded-for': address });
  for (const address of ['192.0.2.1', '192.0.2.255', '198.51.100.7', '2001:db8:1::1', '::ffff:192.0.2.9', '::ffff:c000:209']) {
    expect([address, (await from(address)).status]).toEqual([address, 200]);
  }
  for (const address of ['192.0.3.1', '198.51.100.8', '2001:db9::1', '::ffff:192.0.3.1', '127.0.0.1']) {
    const answer = await from(address);
    expect([address, answer.status, answer.body.code]).toEqual([address, 403, 'address_not_allowed']);
  }
  const wrong = withSecret(key, makeKey(key.id, randomBytes(32)).credential);
  expect((await from('192.0.3.1', wrong)).body.code).toBe('unauthenticated');
});

test('an address that a remembered key may just be used from counts at once', async () => {
  const key = gateway.newKey({ allowedIps: ['192.0.2.1'] });
  const from = (address: string) => statusOf({ ...key.headers, 'x-forwarded-for': address });
  expect([await from('192.0.2.1'), await from('192.0.2.2')]).toEqual([200, 403]);
  gateway.state.keys.get(key.id)!.allowedIps = ['192.0.2.0/28'];
  expect(await from('192.0.2.2')).toBe(200);
});

test('the last use of a key is told half a minute later, once, and refused requests are no use', async () => {
  const used = gateway.newKey({ scopes: ['pages:read'] });
  const refused = gateway.newKey({ scopes: [] });
  const usedAt = await useTwice(used);
  await gateway.get('/api/v1/pages', refused.headers);
  gateway.state.useFault = new Error('key-management was away');
  gateway.bed.clock.advance(30_000);
  await eventually(async () => expect(gateway.state.useFault).toBeUndefined());
  // Again and again: when the gateway waits for its next turn can't be seen from here.
  await eventually(async () => {
    gateway.bed.clock.advance(30_000);
    expect(usesOf(used)).toEqual([usedAt]);
  });
  expect(usesOf(refused)).toEqual([]);
});

test('what was used last is told before a gateway stops, and its lease given back', async () => {
  const other = await gateway.startAnother();
  const key = gateway.newKey();
  await other.get(path, key.headers);
  await other.stopGateway();
  expect(usesOf(key)).toHaveLength(1);
  expect(gateway.state.endedLeases).toBe(1);
});

async function useTwice(key: TestKey): Promise<number> {
  await gateway.get('/api/v1/pages', key.headers);
  gateway.bed.clock.advance(10);
  await gateway.get('/api/v1/pages', key.headers);
  return gateway.bed.clock.now().getTime();
}

function usesOf({ id }: TestKey): number[] {
  return gateway.state.uses.filter(({ keyId }) => keyId === id).map(({ lastUsedAt }) => Number(lastUsedAt!.seconds) * 1_000 + lastUsedAt!.nanos / 1e6);
}
