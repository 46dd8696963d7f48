import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromBinary } from '@bufbuild/protobuf';
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { KeyChangedSchema, keyChangeSubject, streams } from '@na/contracts';
import { KeyManagementBed } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

async function changes(workspaceId: string, keyId: string | undefined, count: number): Promise<JsMsg[]> {
  const filter_subjects = keyChangeSubject(workspaceId, keyId);
  const consumer = await service.bed.bus.js.consumers.get(streams.keyChanges.name, { filter_subjects, deliver_policy: DeliverPolicy.All });
  const messages: JsMsg[] = [];
  for await (const message of await consumer.consume()) {
    messages.push(message);
    if (messages.length === count) return messages;
  }
  throw new Error('The bus was closed before the changes came.');
}

test('every change of a key is in the feed, with a version that rises and a message id that makes a repeat harmless', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  await service.keys.revokeKey({ caller: service.callerOf(key), id: key.id });
  const messages = await changes(workspaceId, key.id, 2);
  expect(messages.map(({ data }) => fromBinary(KeyChangedSchema, data))).toMatchObject([
    { keyId: key.id, workspaceId, version: 1 },
    { keyId: key.id, workspaceId, version: 2 },
  ]);
  expect(messages.map(({ headers }) => headers?.get('Nats-Msg-Id'))).toEqual([`${key.id}:1`, `${key.id}:2`]);
});

test('a suspension and a resumption are in the feed as changes of the workspace as a whole', async () => {
  const workspaceId = await service.newWorkspace();
  await service.workspaces.suspendWorkspace({ caller: service.operator(), id: workspaceId });
  await service.workspaces.resumeWorkspace({ caller: service.operator(), id: workspaceId });
  const messages = await changes(workspaceId, undefined, 2);
  expect(messages.map(({ data }) => fromBinary(KeyChangedSchema, data))).toMatchObject([
    { keyId: '', workspaceId, version: 2 },
    { keyId: '', workspaceId, version: 3 },
  ]);
});

test('a workspace that changes things without end does not hold up the revocation of another', async () => {
  const { key: busy } = await service.newKey(await service.newWorkspace());
  const { key: leaked } = await service.newKey(await service.newWorkspace());
  const changes = Array.from({ length: 50 }, (_, index) => () => service.update(busy, { name: `Number ${index}` }));
  const results = await service.contendFor(busy.workspaceId, changes, async () => {
    expect((await service.revoke(leaked)).status).toBe('revoked');
  });
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['fulfilled']));
});
