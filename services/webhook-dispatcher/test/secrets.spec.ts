import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { createReplyKey, sealReply } from '@na/messaging';
import type { ServiceError } from '@na/service-error';
import { WebhookReceiver, type ReceivedRequest } from '@na/testing';
import { verifyWebhook, type Scheme } from '@notion-analytics/webhook-signature';
import { typeid } from 'typeid-js';
import { DispatcherBed, sealingKey } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

const chosenSecret = (first: number) => `whsec_${Buffer.from(Array.from({ length: 32 }, (_, place) => first + place)).toString('base64')}`;

async function rotate(workspaceId: string, id: string, overlapSeconds?: number, chosen?: string) {
  const replyKey = createReplyKey();
  const sealed = chosen === undefined ? undefined : await seal(chosen);
  const request = { caller: { workspaceId }, id, overlapSeconds, replyPublicKey: replyKey.publicKey, sealedSecret: sealed };
  const { endpoint, sealedSecret } = await dispatcher.endpoints.rotateSecret(request);
  return { endpoint: endpoint!, secret: replyKey.open(sealedSecret) };
}

async function seal(secret: string) {
  const { publicKey } = await dispatcher.endpoints.getIntakeKey({});
  return sealReply(secret, publicKey);
}

/** The next delivery of an event that is published now. */
async function delivered(workspaceId: string): Promise<ReceivedRequest> {
  const event = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(event);
  const requests = await receiver.until((all) => all.some(({ headers }) => headers['webhook-id'] === event.id));
  return requests.find(({ headers }) => headers['webhook-id'] === event.id)!;
}

const accepts = ({ body, headers }: ReceivedRequest, secrets: string, scheme: Scheme = 'standard') =>
  verifyWebhook({ body, headers, secrets, scheme, now: dispatcher.bed.clock.now() }).ok;

test('during the overlap a receiver verifies with either secret, after it only with the new one', async () => {
  const { workspaceId, endpointId, secret: old } = await dispatcher.createEndpoint(receiver.url);
  const { endpoint, secret } = await rotate(workspaceId, endpointId, 3_600);
  const until = timestampDate(endpoint.previousSecretUntil!);
  expect(until).toEqual(new Date(dispatcher.bed.clock.now().getTime() + 3_600_000));

  dispatcher.bed.clock.set(new Date(until.getTime() - 1));
  const during = await delivered(workspaceId);
  for (const scheme of ['standard', 'raw-body'] as const) expect([old, secret].map((one) => accepts(during, one, scheme))).toEqual([true, true]);
  dispatcher.bed.clock.set(until);
  const after = await delivered(workspaceId);
  for (const scheme of ['standard', 'raw-body'] as const) expect([old, secret].map((one) => accepts(after, one, scheme))).toEqual([false, true]);
  expect(after.headers).not.toHaveProperty('x-webhook-signature-previous');
});

test('with no overlap the old secret is over at once; unless told the overlap is a day', async () => {
  const { workspaceId, endpointId, secret: old } = await dispatcher.createEndpoint(receiver.url);
  const { secret } = await rotate(workspaceId, endpointId, 0);
  const request = await delivered(workspaceId);
  expect([old, secret].map((one) => accepts(request, one))).toEqual([false, true]);
  const { endpoint } = await rotate(workspaceId, endpointId);
  expect(timestampDate(endpoint.previousSecretUntil!).getTime() - dispatcher.bed.clock.now().getTime()).toBe(86_400_000);
});

test('a rotation without overlap ends every secret before it at once, also one that was still to sign along', async () => {
  const { workspaceId, endpointId, secret: first } = await dispatcher.createEndpoint(receiver.url);
  const { secret: second } = await rotate(workspaceId, endpointId, 3_600);
  const { endpoint, secret: third } = await rotate(workspaceId, endpointId, 0);
  const request = await delivered(workspaceId);
  expect([first, second, third].map((one) => accepts(request, one))).toEqual([false, false, true]);
  expect(request.headers).not.toHaveProperty('x-webhook-signature-previous');
  expect(endpoint.previousSecretUntil).toBeUndefined();
});

test('five earlier secrets sign along; a sixth is a conflict until one of them ends', async () => {
  const { workspaceId, endpointId, secret: first } = await dispatcher.createEndpoint(receiver.url);
  const later: string[] = [];
  for (let count = 0; count < 5; count++) later.push((await rotate(workspaceId, endpointId, 60 + count)).secret);
  const request = await delivered(workspaceId);
  expect([first, ...later].map((one) => accepts(request, one))).toEqual(Array(6).fill(true));
  await expect(rotate(workspaceId, endpointId, 60)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('5 earlier secrets') });
  dispatcher.bed.clock.advance(60_000);
  await expect(rotate(workspaceId, endpointId, 60)).resolves.toMatchObject({ endpoint: { id: endpointId } });
});

test('rotations at the same time each replace the secret of the one before', async () => {
  const { workspaceId, endpointId, secret: first } = await dispatcher.createEndpoint(receiver.url);
  const rotated = await Promise.all([rotate(workspaceId, endpointId, 60), rotate(workspaceId, endpointId, 60)]);
  const request = await delivered(workspaceId);
  expect([first, ...rotated.map(({ secret }) => secret)].map((one) => accepts(request, one))).toEqual([true, true, true]);
});

test('a secret that the customer chose crosses the bus sealed, is the answer, and signs', async () => {
  const workspaceId = typeid('ws').toString();
  const replyKey = createReplyKey();
  const wanted = { caller: { workspaceId }, url: receiver.url, eventTypes: ['*'], replyPublicKey: replyKey.publicKey };
  const { endpoint, sealedSecret } = await dispatcher.endpoints.createEndpoint({ ...wanted, sealedSecret: await seal(chosenSecret(1)) });
  expect(replyKey.open(sealedSecret)).toBe(chosenSecret(1));
  expect(accepts(await delivered(workspaceId), chosenSecret(1))).toBe(true);
  expect((await rotate(workspaceId, endpoint!.id, 60, chosenSecret(2))).secret).toBe(chosenSecret(2));
  expect([1, 2].map((fill) => chosenSecret(fill))).toEqual(await acceptedOf(workspaceId, [chosenSecret(1), chosenSecret(2), chosenSecret(3)]));
});

async function acceptedOf(workspaceId: string, secrets: string[]): Promise<string[]> {
  const request = await delivered(workspaceId);
  return secrets.filter((secret) => accepts(request, secret));
}

test('a chosen secret that no receiver could use, or that is the current one, is refused and not shown', async () => {
  const { workspaceId, endpointId, secret } = await dispatcher.createEndpoint(receiver.url);
  const weak = `whsec_${Buffer.alloc(23, 1).toString('base64')}`;
  for (const chosen of [weak, 'hunter2-hunter2', secret]) {
    const refusal = await rotate(workspaceId, endpointId, 60, chosen).catch((error: Error) => error);
    expect(refusal).toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/secret' }] });
    expect(JSON.stringify([(refusal as Error).message, (refusal as unknown as { fields: unknown }).fields])).not.toContain(chosen);
  }
  expect(await acceptedOf(workspaceId, [secret])).toEqual([secret]);
});

test('a chosen secret that is refused is told beside all that is wrong with the rest of a new endpoint', async () => {
  const wanted = { caller: { workspaceId: typeid('ws').toString() }, url: 'http://127.0.0.1/#part', eventTypes: ['nope'], headers: { Host: 'x' } };
  const attempt = dispatcher.endpoints.createEndpoint({ ...wanted, replyPublicKey: createReplyKey().publicKey, sealedSecret: await seal('x') });
  const { fields } = (await attempt.catch((error: ServiceError) => error)) as ServiceError;
  expect(fields.map(({ pointer }) => pointer)).toEqual(['/url', '/event_types/0', '/headers/Host', '/secret']);
});

test('a sealed secret that is copied to the row of another endpoint does not open there, and nothing is sent', async () => {
  const { endpointId: robbed } = await dispatcher.createEndpoint(receiver.url);
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.sql.query('UPDATE endpoints p SET sealed_secret = other.sealed_secret FROM endpoints other WHERE p.id = $1 AND other.id = $2', [endpointId, robbed]);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  expect(await dispatcher.deliveryIn(workspaceId, 'retrying', 1)).toMatchObject({ error: 'secret_unavailable' });
  expect(receiver.requests).toEqual([]);
});

test('once a start has seen a newer sealing key, the old one is not needed any more', async () => {
  const own = await DispatcherBed.start();
  const { workspaceId, endpointId } = await own.createEndpoint(receiver.url);
  const deleted = await own.createEndpoint(receiver.url);
  const replyKey = createReplyKey();
  const { sealedSecret } = await own.endpoints.rotateSecret({ caller: { workspaceId }, id: endpointId, replyPublicKey: replyKey.publicKey });
  await own.endpoints.deleteEndpoint({ caller: { workspaceId: deleted.workspaceId }, id: deleted.endpointId });
  expect(await sealedVersions(own)).toEqual([1, 1, 1]);

  await own.stopDispatchers();
  await own.startDispatcher({ sealingKeys: [sealingKey(1), sealingKey(2)] });
  expect(await sealedVersions(own)).toEqual([2, 2, 2]);
  await own.stopDispatchers();
  await own.startDispatcher({ sealingKeys: [sealingKey(2)] });
  const event = own.pageCreated(workspaceId);
  await own.publish(event);
  const [request] = await receiver.received(1);
  expect(verifyWebhook({ ...request!, secrets: replyKey.open(sealedSecret), now: own.bed.clock.now() })).toMatchObject({ ok: true });
  await own.stop();
});

/** Of all secrets in the table, previous ones included. */
async function sealedVersions({ sql }: DispatcherBed): Promise<number[]> {
  const { rows } = await sql.query<{ version: number }>(
    `SELECT get_byte(sealed_secret, 0) AS version FROM endpoints
     UNION ALL SELECT get_byte(decode(p ->> 'sealed', 'base64'), 0) FROM endpoints, jsonb_array_elements(previous_secrets) p`,
  );
  return rows.map(({ version }) => version);
}
