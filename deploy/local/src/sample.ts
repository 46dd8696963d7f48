/**
 * The sample that a first start shows: a workspace with a key, a page, a goal and a webhook, real hits sent through the
 * public API, and what came of them. Everything goes through the API and a receiver of its own; nothing is made up.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicApi, type PublicApi } from './public-api.ts';
import { startSampleReceiver, type SampleReceiver } from './sample-receiver.ts';

export interface SampleOptions {
  gatewayUrl: string;
  dataDir: string;
  operatorToken: string;
}

/** What of the sample stays in the data folder; key and workspace have files of their own, for pasting into commands. */
export interface Sample {
  workspaceId: string;
  pageId: string;
  webhookSecret: string;
  receiverPort: number;
}

interface Delivery {
  id: string;
  event_type: string;
  status: string;
  attempts: number;
  response_code: number | null;
  next_retry_at: string | null;
}

const visitors = ['ann', 'ben', 'cem'];

export function hasSample(dataDir: string): boolean {
  return existsSync(sampleFile(dataDir));
}

/** Shows the sample on a data folder that has none, and otherwise only brings its receiver back. */
export async function showSample({ gatewayUrl, dataDir, operatorToken }: SampleOptions): Promise<Sample> {
  const file = sampleFile(dataDir);
  if (existsSync(file)) return bringBack(JSON.parse(readFileSync(file, 'utf8')) as Sample);

  const receiver = await startSampleReceiver();
  const operator = publicApi(gatewayUrl, operatorToken);
  const workspace = await operator.post<{ id: string }>('/workspaces', { name: 'Sample', time_zone: 'Europe/Berlin', owner_emails: ['owner@example.com'] });
  const key = await operator.in(workspace.id).post<{ secret: string }>('/keys', { name: 'Sample key', access: 'read_write' });
  writeFileSync(join(dataDir, 'sample-key'), key.secret, { mode: 0o600 });
  writeFileSync(join(dataDir, 'sample-workspace'), workspace.id);

  const api = publicApi(gatewayUrl, key.secret).in(workspace.id);
  const page = await api.post<{ id: string }>('/pages', { url: 'https://example.notion.site/Pricing', title: 'Pricing' });
  await api.post('/goals', { name: 'Sign-up', event_name: 'signup', value: 10 });
  const webhook = await api.post<{ secret: string }>('/webhooks', { url: receiver.url, event_types: ['goal.converted'], description: 'Receiver of npm start' });
  receiver.verifyWith(webhook.secret);
  const sample = { workspaceId: workspace.id, pageId: page.id, webhookSecret: webhook.secret, receiverPort: receiver.port };
  writeFileSync(file, `${JSON.stringify(sample, undefined, 2)}\n`, { mode: 0o600 });

  console.log('\nThe sample: a workspace with a key, a page, a goal on the event "signup" and a webhook to a receiver here.');
  await sendHits(api, page.id);
  await showOutcome(api, receiver);
  return sample;
}

function sampleFile(dataDir: string): string {
  return join(dataDir, 'sample.json');
}

/** The webhook knows the receiver by its port, so it comes back on the same one, if it is free. */
async function bringBack(sample: Sample): Promise<Sample> {
  try {
    const receiver = await startSampleReceiver(sample.receiverPort);
    receiver.verifyWith(sample.webhookSecret);
  } catch {
    console.log(`\nPort ${sample.receiverPort} is taken: the sample's receiver is away, and its deliveries will be retried.`);
  }
  return sample;
}

async function sendHits(api: PublicApi, pageId: string): Promise<void> {
  const hits = visitors.flatMap((id) => [
    { page_id: pageId, type: 'pageview', visitor: { id }, referrer: 'https://www.notion.com/' },
    { page_id: pageId, type: 'event', name: 'signup', visitor: { id } },
  ]);
  const { results } = await api.post<{ results: { status: string }[] }>('/track', { hits });
  console.log(`POST /api/v1/track: ${results.length} hits sent, ${results.filter(({ status }) => status === 'accepted').length} accepted.\n`);
}

async function showOutcome(api: PublicApi, receiver: SampleReceiver): Promise<void> {
  await receiver.received(visitors.length);
  for (const line of receiver.lines) console.log(line);
  const deliveries = await settledDeliveries(api);
  console.log('\nGET /api/v1/deliveries');
  console.table(
    deliveries.map(({ id, event_type, status, attempts, response_code, next_retry_at }) => ({ id, event_type, status, attempts, response_code, next_retry_at })),
  );
}

/** An attempt is recorded a moment after its answer, and until then its delivery may not be in the table. */
async function settledDeliveries(api: PublicApi): Promise<Delivery[]> {
  for (let tries = 0; ; tries++) {
    const { data } = await api.get<{ data: Delivery[] }>('/deliveries');
    const succeeded = data.filter(({ status }) => status === 'succeeded');
    if (succeeded.length >= visitors.length || tries === 100) return data;
    await sleep(20);
  }
}
