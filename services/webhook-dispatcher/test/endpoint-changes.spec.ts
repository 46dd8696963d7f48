// What holds for events that are published once a change of an endpoint has been answered, with two replicas that share them.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createReplyKey } from '@na/messaging';
import { eventually, WebhookReceiver, type ReceivedRequest } from '@na/testing';
import { verifyWebhook } from '@notion-analytics/webhook-signature';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => {
  dispatcher = await DispatcherBed.start();
  await dispatcher.startDispatcher();
});
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

const rounds = 6;
const eventsPerRound = 6;

const requestsTo = (path: string) => receiver.requests.filter((request) => request.path.endsWith(path));
const idsOf = (requests: ReceivedRequest[]) => requests.map(({ headers }) => headers['webhook-id']);

/** Publishes events at once, so that both replicas get some. Resolves when the witness has had them all. */
async function publishSeen(workspaceId: string): Promise<string[]> {
  const events = Array.from({ length: eventsPerRound }, () => dispatcher.pageCreated(workspaceId));
  await Promise.all(events.map((event) => dispatcher.publish(event)));
  const ids = events.map(({ id }) => id);
  await receiver.until(() => ids.every((id) => idsOf(requestsTo('/witness')).includes(id)));
  return ids;
}

/** A workspace that both replicas have just looked up, with an endpoint that gets everything. */
async function knownWorkspace(): Promise<string> {
  const { workspaceId } = await dispatcher.createEndpoint(`${receiver.url}/witness`);
  await publishSeen(workspaceId);
  return workspaceId;
}

/** Resolves when the endpoint has had exactly these of all the events. */
async function expectOnly(path: string, ids: string[]): Promise<void> {
  await receiver.until(() => requestsTo(path).length >= ids.length);
  expect(idsOf(requestsTo(path)).sort()).toEqual([...ids].sort());
}

test('a webhook gets every event that is published after its creation was answered, and none after its deletion was', async () => {
  const workspaceId = await knownWorkspace();
  for (let round = 0; round < rounds; round++) {
    const { endpointId } = await dispatcher.createEndpoint(`${receiver.url}/new-${round}`, { workspaceId });
    const wanted = await publishSeen(workspaceId);
    await expectOnly(`/new-${round}`, wanted);
    await dispatcher.endpoints.deleteEndpoint({ caller: { workspaceId }, id: endpointId });
    await publishSeen(workspaceId);
    await expectOnly(`/new-${round}`, wanted);
  }
});

test('a webhook gets no event that is published after it was disabled, and every one that is after it was enabled', async () => {
  const workspaceId = await knownWorkspace();
  const { endpointId: id } = await dispatcher.createEndpoint(`${receiver.url}/switched`, { workspaceId });
  const wanted: string[] = [];
  for (let round = 0; round < rounds; round++) {
    wanted.push(...(await publishSeen(workspaceId)));
    await expectOnly('/switched', wanted);
    await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id });
    await publishSeen(workspaceId);
    await expectOnly('/switched', wanted);
    await dispatcher.endpoints.enableEndpoint({ caller: { workspaceId }, id });
  }
});

test('every event that is published after a rotation and a change of address goes there, signed with the new secret', async () => {
  const workspaceId = await knownWorkspace();
  const { endpointId: id } = await dispatcher.createEndpoint(`${receiver.url}/before`, { workspaceId });
  for (let round = 0; round < rounds; round++) {
    const replyKey = createReplyKey();
    const { sealedSecret } = await dispatcher.endpoints.rotateSecret({ caller: { workspaceId }, id, overlapSeconds: 0, replyPublicKey: replyKey.publicKey });
    await dispatcher.endpoints.updateEndpoint({ caller: { workspaceId }, id, settings: { url: `${receiver.url}/moved-${round}` }, fields: ['url'] });
    await expectOnly(`/moved-${round}`, await publishSeen(workspaceId));
    const secrets = replyKey.open(sealedSecret);
    const verifies = ({ body, headers }: ReceivedRequest) => verifyWebhook({ body, headers, secrets, now: dispatcher.bed.clock.now() }).ok;
    expect(requestsTo(`/moved-${round}`).every(verifies)).toBe(true);
  }
});

test('a replica that lost the bus does not go by what it knew before', async () => {
  const workspaceId = await knownWorkspace();
  const { endpointId } = await dispatcher.createEndpoint(`${receiver.url}/gone`, { workspaceId });
  const before = await publishSeen(workspaceId);
  await expectOnly('/gone', before);
  await dispatcher.bed.killNats();
  // As another replica does it whose calls these can not hear.
  await dispatcher.sql.query(`UPDATE endpoints SET status = 'disabled', disabled_at = $2 WHERE id = $1`, [endpointId, dispatcher.bed.clock.now()]);
  await dispatcher.bed.startNatsAgain();
  await publishSeen(workspaceId);
  await expectOnly('/gone', before);
});

test('a change is answered although a replica that lives does not hear of it', async () => {
  const workspaceId = await knownWorkspace();
  // What a replica holds while it lives: see replica.ts.
  await dispatcher.sql.query('SELECT pg_advisory_lock(1819112563, 999999)');
  const { endpointId } = await dispatcher.createEndpoint(`${receiver.url}/answered`, { workspaceId });
  await dispatcher.sql.query('SELECT pg_advisory_unlock(1819112563, 999999)');
  expect(endpointId).toMatch(/^we_/);
  await expectOnly('/answered', await publishSeen(workspaceId));
});

test('a webhook that is disabled for its failures gets no more events from any replica', async () => {
  const workspaceId = await knownWorkspace();
  const { endpointId: id } = await dispatcher.createEndpoint(`${receiver.url}/refusing`, { workspaceId });
  receiver.behave((response, { path }) => void response.writeHead(path.endsWith('/refusing') ? 410 : 200).end());
  await publishSeen(workspaceId);
  await eventually(async () => {
    const { endpoint } = await dispatcher.endpoints.getEndpoint({ caller: { workspaceId }, id });
    expect(endpoint!.status).toBe('disabled');
  });
  // Both replicas are told of this change later than of that one.
  await dispatcher.createEndpoint(`${receiver.url}/later`, { workspaceId });
  const asked = requestsTo('/refusing').length;
  await publishSeen(workspaceId);
  expect(requestsTo('/refusing')).toHaveLength(asked);
});
