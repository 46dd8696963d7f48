// A revoked key stops working everywhere before the revocation is answered: three gateways in front of the real
// key-management, under load, with the bus killed, and with a gateway that stands still. NA_REVOCATIONS sets how many.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, TestSystem } from '@na/testing';
import { Agent, request } from 'undici';

const revocations = Number(process.env.NA_REVOCATIONS ?? 150);
const leaseMs = 1_000;
const atOnce = 10;

interface Key {
  id: string;
  headers: Record<string, string>;
  /** By this process's monotonic clock. */
  revokedAt: number;
}

let system: TestSystem;
let urls: string[];
let stranded: { name: string; url: string };
let workspaceId: string;
const agent = new Agent({ connections: 16, bodyTimeout: 20_000, headersTimeout: 20_000 });

beforeAll(async () => {
  system = await TestSystem.start({ KEY_LEASE_MS: String(leaseMs), RATE_LIMIT: '100000', FAILED_CREDENTIALS_PER_MINUTE: '100000', MAX_KEYS_PER_WORKSPACE: '10000' });
  const second = await system.startGateway();
  stranded = await system.startGateway();
  urls = [system.gatewayUrl, second.url, stranded.url];
  ({ workspaceId } = await system.createWorkspace());
}, 60_000);
afterAll(async () => {
  await agent.close();
  await system.stop();
});

async function send(method: 'GET' | 'POST' | 'DELETE', url: string, headers: Record<string, string>, body?: object) {
  const json = body && { 'content-type': 'application/json' };
  const response = await request(url, { dispatcher: agent, method, headers: { ...json, ...headers }, body: body && JSON.stringify(body) });
  const text = await response.body.text();
  return { status: response.statusCode, body: JSON.parse(text || '{}') as { id: string; secret: string } };
}

const operator = () => ({ authorization: `Bearer ${system.operatorToken}`, 'x-workspace-id': workspaceId });

async function newKey(): Promise<Key> {
  const { status, body } = await send('POST', `${urls[0]}/api/v1/keys`, operator(), { name: 'Revoked soon', access: 'read_only' });
  if (status !== 201) throw new Error(`The key could not be created: ${status} ${JSON.stringify(body)}`);
  return { id: body.id, headers: { authorization: `Bearer ${body.secret}`, 'x-workspace-id': workspaceId }, revokedAt: Infinity };
}

const use = async (url: string, { headers }: Key) => (await send('GET', `${url}/api/v1/event-types`, headers)).status;

/** Keys that every gateway remembers. */
async function rememberedKeys(count: number): Promise<Key[]> {
  const keys = await inGroups(Array.from({ length: count }), newKey);
  await inGroups(keys, async (key) => {
    for (const url of urls) await eventually(async () => expect(await use(url, key)).toBe(200));
  });
  return keys;
}

/** Until it is answered with a success: while the bus is away that takes several tries. */
async function revoke(key: Key, url: string): Promise<void> {
  await eventually(async () => expect((await send('DELETE', `${url}/api/v1/keys/${key.id}`, operator())).status).toBe(200), 30_000);
  key.revokedAt = performance.now();
}

async function inGroups<T, R>(items: T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const next = items.entries();
  const lane = async () => {
    for (const [index, item] of next) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

/** Uses keys at all gateways without pause, and keeps what was accepted though it was sent after the revocation's answer. */
function hammer(keys: Key[]) {
  const accepted: string[] = [];
  let [stopped, uses] = [false, 0];
  const lane = async (start: number) => {
    for (let i = start; !stopped; i += 7) {
      const key = keys[i % keys.length]!;
      await check(urls[i % urls.length]!, key, accepted);
      uses += 1;
    }
  };
  const lanes = Promise.all(Array.from({ length: 4 }, (_, i) => lane(i * 11)));
  return { accepted, end: () => ((stopped = true), lanes.then(() => uses)) };
}

async function check(url: string, key: Key, accepted: string[]): Promise<void> {
  const sentAt = performance.now();
  const status = await use(url, key).catch(() => 0);
  if (status === 200 && sentAt > key.revokedAt) accepted.push(`${key.id} at ${url}, ${(sentAt - key.revokedAt).toFixed(1)} ms after`);
}

/** Half of the keys are used all the time, half lie idle in memory; each is tried everywhere as soon as its revocation is answered. */
async function revokeAll(keys: Key[], meanwhile: (revoked: number) => Promise<void> = async () => undefined): Promise<{ accepted: string[]; uses: number }> {
  const load = hammer(keys.slice(0, keys.length / 2));
  const done: Promise<void>[] = [];
  await inGroups(keys, async (key, index) => {
    done.push(meanwhile(index));
    await revoke(key, urls[index % urls.length]!);
    await Promise.all(urls.map((url) => check(url, key, load.accepted)));
  });
  await Promise.all(done);
  for (const key of keys) for (const url of urls) await check(url, key, load.accepted);
  return { accepted: load.accepted, uses: await load.end() };
}

test(`of ${revocations} keys revoked under load, no gateway of three accepts one in a request sent after the answer`, async () => {
  const { accepted, uses } = await revokeAll(await rememberedKeys(revocations));
  expect(accepted).toEqual([]);
  expect(uses).toBeGreaterThan(revocations / 2);
}, 600_000);

test('nor with nats-server killed and restarted in the middle', async () => {
  const keys = await rememberedKeys(Math.ceil(revocations / 5));
  const killAt = Math.floor(keys.length / 3);
  const { accepted } = await revokeAll(keys, async (index) => (index === killAt ? system.restartNats() : undefined));
  expect(accepted).toEqual([]);
}, 600_000);

test('a gateway that stands still holds a revocation up until its lease is over, and refuses the key when it goes on', async () => {
  const [key] = await rememberedKeys(1);
  system.signal(stranded.name, 'SIGSTOP');
  await revoke(key!, urls[0]!);
  const sentAfter = Array.from({ length: 5 }, () => use(stranded.url, key!));
  system.signal(stranded.name, 'SIGCONT');
  expect(new Set(await Promise.all(sentAfter))).toEqual(new Set([401]));
  expect(system.logOf(stranded.name)).toContain('the lease on remembered verdicts is over');
}, 120_000);

test('a gateway that is killed holds revocations up no longer than its lease', async () => {
  const [key] = await rememberedKeys(1);
  await system.kill(stranded.name);
  await revoke(key!, urls[0]!);
  expect(await use(urls[1]!, key!)).toBe(401);
}, 120_000);

test('without key-management, gateways refuse with 503 once their leases are over, and remember nothing when it is back', async () => {
  urls = urls.slice(0, 2);
  const [key] = await rememberedKeys(1);
  await system.kill('key-management');
  for (const url of urls) await eventually(async () => expect(await use(url, key!)).toBe(503), 30_000);
  await system.restart('key-management');
  for (const url of urls) await eventually(async () => expect(await use(url, key!)).toBe(200), 30_000);
}, 120_000);
