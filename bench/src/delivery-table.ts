// How long a page of the delivery table takes at millions of rows, for what is common, rare, far down or not there, and for
// random combinations of filters. Through the dispatcher's RPC, so with the bus; what the bus alone costs is printed first. Run
// by `npm run bench:table`.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { DeliveryService, EndpointService, type Delivery } from '@na/contracts';
import pg from 'pg';
import { cpuMs } from './cpu.ts';
import { openStack, percentile } from './stack.ts';
import { storeDeliveries, type StoredDeliveries } from './stored-deliveries.ts';

const total = Number(process.env.BENCH_DELIVERIES ?? 5_000_000);
const days = 30;
const repeats = 50;
const combinations = Number(process.env.BENCH_COMBINATIONS ?? 500);
const dayMs = 86_400_000;
/** Of every page, whatever the filter. */
const aimMs = 50;

interface Wanted {
  workspaceId: string;
  status?: string;
  eventType?: string;
  eventId?: string;
  endpointId?: string;
  responseCode?: number;
  since?: Date;
  until?: Date;
  after?: string;
}

const { databaseUrl, rpc, pids, replaceDispatchers, close } = await openStack();
try {
  const stored = await store();
  // Days come one by one where deliveries do: a dispatcher that has met thirty at once is none that exists.
  await replaceDispatchers();
  await measure('a call that asks no database', async () => (await rpc.client(EndpointService).getIntakeKey({}), []));
  for (const [label, wanted] of Object.entries(questionsAbout(stored))) await measure(label, () => page(wanted));
  await measureCombinations(stored);
} finally {
  await close();
}

async function store(): Promise<StoredDeliveries> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    let stored: StoredDeliveries | undefined;
    const ms = await timed(async () => (stored = await storeDeliveries(client, total, days)));
    print(`${total} deliveries in ${days} days stored in ${Math.round(ms / 1_000)} s`);
    return stored!;
  } finally {
    await client.end();
  }
}

function questionsAbout({ workspaces: { big, mixed, dead, small }, endpoints, rare }: StoredDeliveries): Record<string, Wanted> {
  const ago = (count: number) => new Date(Date.now() - count * dayMs);
  return {
    'newest page of everything': { workspaceId: big },
    'newest page of a mixed workspace': { workspaceId: mixed },
    'newest page of a small workspace': { workspaceId: small },
    'newest page of one endpoint': { workspaceId: big, endpointId: endpoints.large },
    'a page 29 days down': { workspaceId: big, until: ago(29) },
    'the one failed': { workspaceId: big, status: rare.status },
    'the one failed, of its endpoint': { workspaceId: big, endpointId: endpoints.large, status: rare.status },
    'the one of its response code': { workspaceId: big, responseCode: rare.responseCode },
    'the one of its event type': { workspaceId: big, eventType: rare.eventType },
    'one event': { workspaceId: big, eventId: rare.eventId },
    'a status that is not there': { workspaceId: big, status: 'cancelled' },
    'a response code that is not there': { workspaceId: big, responseCode: 404 },
    'a type that is not there, of one endpoint': { workspaceId: big, endpointId: endpoints.little, eventType: rare.eventType },
    'failed, with 503, of one type': { workspaceId: mixed, status: 'failed', responseCode: 503, eventType: 'page.deleted' },
    'failed, of one endpoint, in six hours': { workspaceId: mixed, endpointId: endpoints.failing, status: 'failed', since: ago(12), until: ago(11.75) },
    'pending, of a dead endpoint': { workspaceId: dead, status: 'pending' },
    'succeeded, where none has': { workspaceId: dead, status: 'succeeded' },
    'a wide window': { workspaceId: big, since: ago(28), until: ago(1) },
  };
}

async function measure(label: string, ask: () => Promise<Delivery[]>): Promise<void> {
  const times: number[] = [];
  let found: Delivery[] = [];
  const before = cpuMs(pids.postgres);
  for (let i = 0; i < repeats; i++) times.push(await timed(async () => (found = await ask())));
  print(`${label.padEnd(42)} ${String(found.length).padStart(2)} rows  ${figuresOf(times, cpuMs(pids.postgres) - before)}`);
}

/** The worst is what counts: a filter that only a scan can answer would show there. */
async function measureCombinations(stored: StoredDeliveries): Promise<void> {
  const times: number[] = [];
  let worst = { ms: 0, wanted: {} as Wanted };
  const before = cpuMs(pids.postgres);
  for (let i = 0; i < combinations; i++) {
    const wanted = randomWanted(stored);
    const ms = await timed(() => page(wanted));
    times.push(ms);
    if (ms > worst.ms) worst = { ms, wanted };
  }
  print(`${`${combinations} random combinations of filters`.padEnd(42)}          ${figuresOf(times, cpuMs(pids.postgres) - before)}`);
  print(`the worst was ${JSON.stringify(worst.wanted)}`);
}

function randomWanted({ workspaces, endpoints, rare }: StoredDeliveries): Wanted {
  const pick = <T>(from: T[]): T => from[Math.floor(Math.random() * from.length)]!;
  const maybe = <T>(from: T[]): T | undefined => (Math.random() < 0.5 ? pick(from) : undefined);
  const since = maybe([1, 2, 7, 20, 31].map((ago) => new Date(Date.now() - ago * dayMs * Math.random())));
  return {
    workspaceId: pick(Object.values(workspaces)),
    status: maybe(['pending', 'retrying', 'succeeded', 'failed', 'cancelled']),
    eventType: maybe(['page.updated', 'page.deleted', 'key.created', rare.eventType, 'goal.converted']),
    eventId: Math.random() < 0.05 ? rare.eventId : undefined,
    endpointId: maybe(Object.values(endpoints)),
    responseCode: maybe([200, 202, 204, 404, 500, 503]),
    since,
    until: maybe([0, 1, 5, 29].map((ago) => new Date((since?.getTime() ?? Date.now()) + dayMs - ago * dayMs * Math.random()))),
  };
}

async function page({ workspaceId, since, until, ...wanted }: Wanted): Promise<Delivery[]> {
  const window = { since: since && timestampFromDate(since), until: until && timestampFromDate(until) };
  return (await rpc.client(DeliveryService).listDeliveries({ caller: { workspaceId }, ...wanted, ...window, limit: 25 })).deliveries;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** @param cpu of PostgreSQL, for all of them: what is left of a figure when other programs had the processors */
function figuresOf(times: number[], cpu: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  const ms = (value: number) => `${value.toFixed(1).padStart(6)} ms`;
  const late = sorted.filter((value) => value > aimMs).length;
  return `p50 ${ms(percentile(sorted, 0.5))}  p95 ${ms(percentile(sorted, 0.95))}  max ${ms(sorted.at(-1)!)}, ${late} over ${aimMs} ms  PostgreSQL's CPU ${ms(cpu / times.length)}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
