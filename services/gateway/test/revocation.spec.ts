// Changes of keys as a gateway hears of them: nothing that is remembered outlives one, whichever way it comes.
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { applyKeyChangeSubject, KeyChangeAppliedSchema, KeyChangedSchema, keyChangeSubject } from '@na/contracts';
import { eventually } from '@na/testing';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  await gateway.holdsLease();
});
afterAll(() => gateway.stop());

const path = '/api/v1/event-types';
const statusOf = async ({ headers }: TestKey) => (await gateway.get(path, headers)).status;
const encode = (change: MessageInitShape<typeof KeyChangedSchema>) => toBinary(KeyChangedSchema, create(KeyChangedSchema, change));

/** As key-management changes a key: the row, of which the gateway has not heard. */
function change(key: TestKey, overrides: object): { keyId: string; workspaceId: string; version: number } {
  const row = gateway.state.keys.get(key.id)!;
  Object.assign(row, { version: (row.version ?? 1) + 1 }, overrides);
  return { keyId: key.id, workspaceId: key.workspaceId, version: row.version! };
}

async function ask(changed: MessageInitShape<typeof KeyChangedSchema>): Promise<string> {
  const reply = await gateway.bed.bus.connection.request(applyKeyChangeSubject, encode(changed));
  return fromBinary(KeyChangeAppliedSchema, reply.data).gatewayId;
}

async function tellFeed(changed: { keyId: string; workspaceId: string; version: number }): Promise<void> {
  await gateway.bed.publisher.publish({ subject: keyChangeSubject(changed.workspaceId, changed.keyId), body: encode(changed), id: `${changed.keyId}-${changed.version}` });
}

async function rememberedKey(): Promise<TestKey> {
  const key = gateway.newKey();
  expect(await statusOf(key)).toBe(200);
  return key;
}

test('a gateway that has answered for a revocation refuses the key', async () => {
  const key = await rememberedKey();
  const changed = change(key, { status: 'revoked' });
  expect(await statusOf(key)).toBe(200);
  const gatewayId = await ask(changed);
  expect(await statusOf(key)).toBe(401);
  expect(await ask(changed)).toBe(gatewayId);
});

test('a change that comes by the feed alone is heard too', async () => {
  const key = await rememberedKey();
  await tellFeed(change(key, { status: 'revoked' }));
  await eventually(async () => expect(await statusOf(key)).toBe(401));
});

test('changes that were missed while the bus was gone are made up for when it is back', async () => {
  const [first, second] = [await rememberedKey(), await rememberedKey()];
  await tellFeed(change(first, { status: 'revoked' }));
  await eventually(async () => expect(await statusOf(first)).toBe(401));
  await gateway.bed.restartNats();
  await tellFeed(change(second, { status: 'revoked' }));
  await eventually(async () => expect(await statusOf(second)).toBe(401));
});

test('a change that the verdict knows already voids nothing', async () => {
  const key = await rememberedKey();
  gateway.state.verifications = 0;
  await ask({ keyId: key.id, workspaceId: key.workspaceId, version: 1 });
  await statusOf(key);
  expect(gateway.state.verifications).toBe(0);
});

test('the suspension of a workspace takes all its keys and no others', async () => {
  const [one, stranger] = [await rememberedKey(), await rememberedKey()];
  const two = gateway.newKey({ workspaceId: one.workspaceId });
  expect(await statusOf(two)).toBe(200);
  for (const { id } of [one, two]) Object.assign(gateway.state.keys.get(id)!, { status: 'suspended', workspaceVersion: 2 });
  gateway.state.verifications = 0;
  await ask({ workspaceId: one.workspaceId, version: 2 });
  expect([await statusOf(one), await statusOf(two), await statusOf(stranger)]).toEqual([403, 403, 200]);
  expect(gateway.state.verifications).toBe(2);
});

test('what can not be read is not answered', async () => {
  await expect(gateway.bed.bus.connection.request(applyKeyChangeSubject, Buffer.from([0xff, 0xff]), { timeout: 300 })).rejects.toThrow('timeout');
  await rememberedKey();
});

test('a verdict that a revocation overtakes on its way is thrown away, for everybody who waits for it', async () => {
  const key = gateway.newKey();
  const held = holdNextVerdict();
  const answers = [statusOf(key), statusOf(key)];
  await held.asked;
  await ask(change(key, { status: 'revoked' }));
  held.release();
  expect(await Promise.all(answers)).toEqual([401, 401]);
  expect(await statusOf(key)).toBe(401);
});

test('so is one that the suspension of its workspace overtakes', async () => {
  const key = gateway.newKey();
  const held = holdNextVerdict();
  const answer = statusOf(key);
  await held.asked;
  Object.assign(gateway.state.keys.get(key.id)!, { status: 'suspended', workspaceVersion: 2 });
  await ask({ workspaceId: key.workspaceId, version: 2 });
  held.release();
  expect(await answer).toBe(403);
});

test('a key that is changed without end is not asked about without end', async () => {
  const key = gateway.newKey();
  gateway.state.holdVerdict = async () => void (await ask(change(key, {})));
  expect(await statusOf(key)).toBe(503);
  gateway.state.holdVerdict = async () => undefined;
  expect(await statusOf(key)).toBe(200);
});

/** The verdict is made, and waits to be sent. */
function holdNextVerdict(): { asked: Promise<void>; release: () => void } {
  const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  gateway.state.holdVerdict = () => {
    gateway.state.holdVerdict = async () => undefined;
    asked.resolve();
    return released.promise;
  };
  return { asked: asked.promise, release: released.resolve };
}
