// Secrets are in the one answer that shows them, and nowhere else: the four processes as they run in a deployment, a life of
// keys and webhooks, and then everything that was written anywhere is searched.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scopes } from '@na/contracts';
import { answer, eventually, TelemetryCollector, TestSystem, WebhookReceiver, type Json } from '@na/testing';
import { makeKey } from '../src/auth/key-material.js';
import { dumpDatabase } from './secrets/database-dump.js';
import { misplaced } from './secrets/misplaced.js';
import { RecordingClient } from './secrets/recording-client.js';
import { Secrets, type Place } from './secrets/spellings.js';
import { Wiretap } from './secrets/wiretap.js';

const services = ['gateway', 'key-management', 'reporting', 'webhook-dispatcher'];

let tap: Wiretap;
let collector: TelemetryCollector;
let system: TestSystem;
let client: RecordingClient;
let [good, bad]: WebhookReceiver[] = [];
beforeAll(async () => {
  [collector, good, bad] = await Promise.all([TelemetryCollector.start(), WebhookReceiver.start(), WebhookReceiver.start(answer(503))]);
  system = await TestSystem.start({ ...collector.environment, LOG_LEVEL: 'debug' }, async (natsUrl) => void (tap = await Wiretap.start(natsUrl)));
  client = new RecordingClient(`${system.gatewayUrl}/api/v1`);
}, 60_000);
afterAll(async () => {
  await tap.stop();
  await system.stop();
  await Promise.all([collector.stop(), good!.stop(), bad!.stop()]);
});

const secrets = new Secrets();
/** Whole credentials, to be put where they don't belong. */
const credentials: string[] = [];

/** The part that opens something is a secret without what stands around it. */
function keep(name: string, credential: string): string {
  secrets.add(name, credential.startsWith('nak_') ? credential.slice(-49, -6) : credential.replace('whsec_', ''));
  credentials.push(credential);
  return credential;
}

const chosenSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

/** What makes keys and webhooks, uses them, and lets them end. @returns the headers of a key that still works */
async function live(): Promise<{ headers: Record<string, string>; keyId: string; deliveries: Json[] }> {
  const owner = await system.createWorkspace({ scopes: [...scopes] });
  const workspace = { 'x-workspace-id': owner.workspaceId };
  const headers = { authorization: `Bearer ${keep('the first key', owner.token)}`, ...workspace };
  const once = { ...headers, 'idempotency-key': 'a-new-key' };

  const webhook = await client.sendForSecret('POST', '/webhooks', { headers, body: { url: good!.url, event_types: ['key.*'] } });
  keep('the secret of a webhook', webhook.secret);
  const failing = { url: bad!.url, event_types: ['key.*'], retry_policy: { max_attempts: 1 } };
  await client.sendForSecret('POST', '/webhooks', { headers, body: { ...failing, secret: keep('a chosen secret', chosenSecret()) } });
  await client.send('POST', '/webhooks', { headers, body: { ...failing, secret: keep('a secret that is too short', `whsec_${randomBytes(20).toString('base64')}`) } });

  const body = { name: 'CI', scopes: ['pages:read', 'keys:read'] };
  const key = await client.sendForSecret('POST', '/keys', { headers: once, body });
  const asKey = (secret: string) => ({ headers: { authorization: `Bearer ${secret}`, ...workspace } });
  expect((await client.send('POST', '/keys', { headers: once, body })).body).toMatchObject({ id: key.id, secret: null });
  expect((await client.send('GET', '/keys/current', asKey(keep('a key', key.secret)))).status).toBe(200);
  const rotated = await client.sendForSecret('POST', `/keys/${key.id}/rotate`, { headers, body: { overlap_seconds: 60 } });
  for (const secret of [key.secret, keep('a rotated key', rotated.secret)]) expect((await client.send('GET', '/keys/current', asKey(secret))).status).toBe(200);

  const guess = keep('a wrong secret', makeKey(key.id, randomBytes(32)).credential);
  for (const wrong of [guess, `${guess.slice(0, -1)}-`, `x${guess}`]) expect((await client.send('GET', '/keys', asKey(wrong))).status).toBe(401);
  const again = await client.sendForSecret('POST', `/webhooks/${webhook.id}/secret/rotate`, { headers, body: { overlap_seconds: 60 } });
  const explained = { secret: keep('a rotated secret of a webhook', again.secret), headers: { 'x-webhook-signature': 'sha256=00' }, body: '{}' };
  expect((await client.send('POST', '/webhooks/signature/explain', { headers, body: explained })).status).toBe(200);
  const chosen = { overlap_seconds: 60, secret: keep('another chosen secret', chosenSecret()) };
  await client.sendForSecret('POST', `/webhooks/${webhook.id}/secret/rotate`, { headers, body: chosen });

  expect((await client.send('POST', '/keys/leaked', { body: { keys: [rotated.secret, guess] } })).status).toBe(202);
  expect((await client.send('GET', '/keys/current', asKey(rotated.secret))).status).toBe(401);
  return { headers, keyId: key.id, deliveries: await settled(headers) };
}

/** Some of them succeeded, and some failed. */
function settled(headers: Record<string, string>): Promise<Json[]> {
  return eventually(async () => {
    const { body } = await client.send('GET', '/deliveries', { headers });
    const statuses = body.data.map(({ status }: Json) => status);
    if (!statuses.includes('succeeded') || !statuses.includes('failed') || statuses.includes('pending')) throw new Error(`not yet: ${statuses}`);
    return body.data;
  });
}

async function misplaceAll(headers: Record<string, string>): Promise<void> {
  for (const secret of credentials) {
    const answers = await Promise.all(misplaced(secret, headers).map(async (sent) => ({ sent, status: (await client.send(...sent)).status })));
    expect(answers.filter(({ status }) => status === 201 || status >= 500)).toEqual([]);
    await client.sendRaw(`GET /${secret} NOT-HTTP\r\n${secret}\r\n\r\n`);
  }
}

/** After the processes have ended, so that nothing is left unsaid. */
async function everyPlace(): Promise<Place[]> {
  const streams = await tap.streams();
  await system.endServices();
  return [
    ...services.map((name) => ({ name: `the log of ${name}`, text: system.logOf(name) })),
    { name: 'telemetry', text: collector.reports.map(({ path, body }) => `${path} ${body}`).join('\n') },
    { name: 'the bus', text: tap.text },
    { name: 'the streams', text: streams },
    { name: 'the database', text: await dumpDatabase(system.database.adminUrl) },
    { name: 'the answers', text: client.text },
    { name: 'what webhooks were sent', text: JSON.stringify([good!, bad!].flatMap(({ requests }) => requests.map((one) => ({ ...one, body: one.body.toString() })))) },
  ];
}

/** By which each place is known to hold what happened, and not to be empty for some other reason. */
function tracesOf(keyId: string): Record<string, string[]> {
  const logs = Object.fromEntries(services.map((name) => [`the log of ${name}`, ['stopping']]));
  const rest = ['the bus', 'the streams', 'the database', 'the answers', 'what webhooks were sent'].map((name) => [name, [keyId]] as const);
  return { ...logs, ...Object.fromEntries(rest), telemetry: ['/v1/traces', '/v1/metrics', '[redacted]'] };
}

test('a secret is in no log, span, metric, message, row, error, header or webhook, whatever was done with it', async () => {
  secrets.add('the operator token', system.operatorToken);
  for (const [name, value] of Object.entries(system.secrets)) secrets.add(name, value.replace(/^1:/, ''));
  const { headers, keyId, deliveries } = await live();
  const reads = ['/keys', `/keys/${keyId}`, '/webhooks', '/audit-log', ...deliveries.map(({ id }) => `/deliveries/${id}`)];
  for (const path of reads) expect((await client.send('GET', path, { headers })).status).toBe(200);
  await misplaceAll(headers);

  const places = await everyPlace();
  const traces = tracesOf(keyId);
  for (const { name, text } of places) expect([name, traces[name]!.filter((trace) => !text.includes(trace))]).toEqual([name, []]);
  expect(places.flatMap((place) => secrets.foundIn(place))).toEqual([]);
}, 60_000);
