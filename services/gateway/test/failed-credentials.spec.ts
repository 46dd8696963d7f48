// Whoever tries keys out is stopped before anybody is asked about them, and shuts nobody else out.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { ServiceError } from '@na/service-error';
import { eventually } from '@na/testing';
import { typeid } from 'typeid-js';
import { makeKey } from '../src/auth/key-material.js';
import { FakeState } from './fake-services.js';
import { GatewayBed, operatorToken, type Answer, type TestKey } from './gateway.bed.js';

const allowed = 30;

/** Renewed three times in it, on a busy machine too; and it is waited for until it is over. */
const leaseMs = 2_000;

let gateway: GatewayBed;
beforeAll(async () => {
  gateway = await GatewayBed.start({ failedCredentialsPerMinute: allowed }, Object.assign(new FakeState(), { leaseMs }));
  await gateway.holdsLease();
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.state.verifications = 0));

let addresses = 0;
/** Of a client that no other test has been. */
const newAddress = () => `198.51.${100 + Math.floor(++addresses / 250)}.${addresses % 250}`;

const unknown = () => makeKey(typeid('key').toString(), randomBytes(32)).credential;
const send = (address: string, credential: string, headers = {}) =>
  gateway.get('/api/v1/event-types', { 'x-workspace-id': typeid('ws').toString(), ...headers, authorization: `Bearer ${credential}`, 'x-forwarded-for': address });
const sendGood = (address: string, key: TestKey) => send(address, key.credential, key.headers);
const outcome = ({ status, headers }: Answer) => [status, headers.get('retry-after')];

async function fail(address: string, times = allowed): Promise<void> {
  for (let i = 0; i < times; i++) expect((await send(address, unknown())).status).toBe(401);
}

test('after 30 failures nothing is looked up for an address until the minute is over', async () => {
  const address = newAddress();
  await fail(address);
  expect(gateway.state.verifications).toBe(allowed);
  gateway.bed.clock.advance(20_000);
  expect(outcome(await send(address, unknown()))).toEqual([429, '40']);
  expect(outcome(await sendGood(address, gateway.newKey()))).toEqual([429, '40']);
  expect(gateway.state.verifications).toBe(allowed);
  gateway.bed.clock.advance(40_000);
  expect((await sendGood(address, gateway.newKey())).status).toBe(200);
});

test('failures count at addresses that do not exist too, and with methods that they do not answer', async () => {
  const address = newAddress();
  const at = (method: string, path: string) => gateway.send(method, path, { authorization: `Bearer ${unknown()}`, 'x-forwarded-for': address });
  for (let i = 0; i < allowed / 2; i++) expect([(await at('GET', '/api/v1/nowhere')).status, (await at('PUT', '/api/v1/pages')).status]).toEqual([401, 401]);
  expect(gateway.state.verifications).toBe(allowed);
  expect(outcome(await send(address, unknown()))).toEqual([429, '60']);
  expect(outcome(await at('GET', '/api/v1/nowhere'))).toEqual([429, '60']);
});

test('three hundred wrong keys at once cost no more look-ups than one after the other', async () => {
  const address = newAddress();
  const answers = await Promise.all(Array.from({ length: 300 }, () => send(address, unknown())));
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(allowed);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(300 - allowed);
  expect(gateway.state.verifications).toBe(allowed);
});

test('a hundred good keys at once from one address all get through', async () => {
  const address = newAddress();
  const answers = await Promise.all(Array.from({ length: 100 }, () => sendGood(address, gateway.newKey())));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

test('keys with a wrong checksum and wrong tokens count too', async () => {
  const address = newAddress();
  for (let i = 0; i < allowed / 2; i++) {
    expect((await send(address, `${unknown().slice(0, -1)}-`)).status).toBe(401);
    expect((await send(address, `not-the-operator-${i}`)).status).toBe(401);
  }
  expect(gateway.state.verifications).toBe(0);
  expect((await send(address, 'nak_')).status).toBe(429);
  expect((await send(address, unknown())).status).toBe(429);
});

test('a remembered key and the operator pass from an address that is refused, and so does a key that was remembered', async () => {
  const [address, key] = [newAddress(), gateway.newKey()];
  await gateway.holdsLease();
  expect((await sendGood(address, key)).status).toBe(200);
  await fail(address);
  expect((await send(address, unknown())).status).toBe(429);
  expect((await sendGood(address, key)).status).toBe(200);
  const operator = await gateway.get('/api/v1/workspaces', { authorization: `Bearer ${operatorToken}`, 'x-forwarded-for': address });
  expect(operator.status).not.toBe(429);
  gateway.state.leaseMs = 0;
  gateway.state.verifications = 0;
  await eventually(async () => {
    expect((await sendGood(address, key)).status).toBe(200);
    expect(gateway.state.verifications).toBeGreaterThan(1);
  });
  gateway.state.leaseMs = leaseMs;
});

test.each([
  ['revoked', 401],
  ['suspended', 403],
])('a key that was good and is %s is looked up once more, and then counted like any other', async (status, refusal) => {
  const [address, key] = [newAddress(), gateway.newKey()];
  await gateway.holdsLease();
  expect((await sendGood(address, key)).status).toBe(200);
  await fail(address);
  gateway.state.keys.get(key.id)!.status = status;
  gateway.state.leaseMs = 0;
  await eventually(async () => expect((await sendGood(address, key)).status).toBe(refusal));
  expect((await sendGood(address, key)).status).toBe(429);
  gateway.state.leaseMs = leaseMs;
});

test('a key that is used from a wrong address is counted there, without its own limit being touched', async () => {
  const key = gateway.newKey({ allowedIps: ['192.0.2.1'] });
  const address = newAddress();
  for (let i = 0; i < allowed; i++) expect((await sendGood(address, key)).body.code).toBe('address_not_allowed');
  expect((await sendGood(address, key)).status).toBe(429);
  const { headers } = await sendGood('192.0.2.1', key);
  expect(headers.get('ratelimit')).toMatch(/;r=99999;/);
});

test.each(['revoked', 'expired', 'disabled', 'not_yet_valid', 'suspended'])('a key that is %s and goes on being sent shuts out itself, and no other from its address', async (status) => {
  const [address, key] = [newAddress(), gateway.newKey({ status })];
  const refusal = status === 'suspended' ? [403, 'workspace_suspended'] : [401, 'unauthenticated'];
  for (let i = 0; i < allowed; i++) {
    const { status: code, body } = await sendGood(address, key);
    expect([code, body.code]).toEqual(refusal);
  }
  expect(outcome(await sendGood(address, key))).toEqual([429, '60']);
  expect((await sendGood(address, gateway.newKey())).status).toBe(200);
  await fail(address);
  expect((await sendGood(address, gateway.newKey())).status).toBe(429);
});

test('a worker that goes on with the secret before a rotation does not keep the new one out', async () => {
  const address = newAddress();
  const before = gateway.newKey();
  const { secretDigest, credential } = makeKey(before.id, randomBytes(32));
  Object.assign(gateway.state.keys.get(before.id)!, { secretDigest, superseded: before.secretDigest });
  for (let i = 0; i < allowed; i++) expect((await sendGood(address, before)).status).toBe(401);
  expect((await sendGood(address, before)).status).toBe(429);
  expect((await send(address, credential, before.headers)).status).toBe(200);
});

test('a key that is used from a wrong address keeps no other key from there out', async () => {
  const [address, key] = [newAddress(), gateway.newKey({ allowedIps: ['192.0.2.1'] })];
  for (let i = 0; i < allowed + 1; i++) await sendGood(address, key);
  expect((await sendGood(address, gateway.newKey())).status).toBe(200);
});

test('of IPv6 the whole /64 counts as one address, and its neighbour as another', async () => {
  for (let i = 0; i < allowed; i++) expect((await send(`2001:db8:0:1::${i}`, unknown())).status).toBe(401);
  expect((await send('2001:db8:0:1:ffff::1', unknown())).status).toBe(429);
  expect((await send('2001:db8:0:2::1', unknown())).status).toBe(401);
});

test('an outage of key-management is nobody’s failure', async () => {
  const address = newAddress();
  gateway.state.verifyFault = new ServiceError('unavailable', 'Away.');
  for (let i = 0; i < allowed + 5; i++) expect((await send(address, unknown())).status).toBe(503);
  gateway.state.verifyFault = undefined;
  expect((await send(address, unknown())).status).toBe(401);
});
