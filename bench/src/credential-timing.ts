// Whether the time that a refusal takes says why: 10,000 requests each with an unknown key id, with a wrong secret that
// differs in its first character, and in its last, in random order. Prints Welch's t between them; |t| < 4.5 is the usual bar
// for "tells nothing". Run by `npm run bench:credential-timing`.
import { crc32 } from 'node:zlib';
import { Client } from 'undici';
import { openGatewayStack, type BenchKey } from './gateway-stack.ts';
import { median } from './stack.ts';

const samples = Number(process.env.BENCH_SAMPLES ?? 10_000);

const { url, newKeys, close } = await openGatewayStack();
const client = new Client(url);
try {
  const [key] = await newKeys(1);
  const kinds = { 'unknown id': withOtherId, 'wrong first character': withOtherFirst, 'wrong last character': withOtherLast };
  const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
  for (let i = 0; i < samples; i++) {
    for (const [kind, change] of shuffled(Object.entries(kinds))) {
      const time = await refused(key!, change(key!.credential, i));
      if (i >= samples / 100) times[kind]!.push(time);
    }
  }
  for (const [kind, all] of Object.entries(times)) print(`${kind}: median ${(median(all) * 1_000).toFixed(1)} µs of ${all.length}`);
  for (const [a, b] of [['unknown id', 'wrong first character'], ['unknown id', 'wrong last character'], ['wrong first character', 'wrong last character']]) {
    print(`${a} / ${b}: t = ${welch(trimmed(times[a!]!), trimmed(times[b!]!)).toFixed(2)}`);
  }
} finally {
  await client.close();
  await close();
}

async function refused({ headers }: BenchKey, credential: string): Promise<number> {
  const begin = performance.now();
  const { statusCode, body } = await client.request({ method: 'GET', path: '/api/v1/event-types', headers: { ...headers, authorization: `Bearer ${credential}` } });
  await body.dump();
  const took = performance.now() - begin;
  if (statusCode !== 401) throw new Error(`A wrong key was answered ${statusCode}.`);
  return took;
}

/** Another id each time, as whoever guesses would. */
function withOtherId(credential: string, i: number): string {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz';
  const other = Array.from({ length: 6 }, (_, place) => digits[(i >> (place * 5)) & 31]).join('');
  return signed(`${credential.slice(0, 24)}${other}${credential.slice(30, -6)}`);
}

function withOtherFirst(credential: string): string {
  return signed(credential.slice(0, 31) + otherThan(credential[31]!) + credential.slice(32, -6));
}

function withOtherLast(credential: string): string {
  return signed(credential.slice(0, -7) + otherThan(credential.at(-7)!));
}

function otherThan(character: string): string {
  return character === 'x' ? 'y' : 'x';
}

/** The checksum as in services/gateway/src/auth/key-material.ts: without it nothing would be looked up. */
function signed(body: string): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let text = '';
  for (let rest = crc32(body); rest > 0; rest = Math.floor(rest / 62)) text = digits[rest % 62]! + text;
  return body + text.padStart(6, '0');
}

/** Without the slowest hundredth: pauses of the machine, which say nothing of the key. */
function trimmed(values: number[]): number[] {
  return [...values].sort((a, b) => a - b).slice(0, Math.floor(values.length * 0.99));
}

function welch(a: number[], b: number[]): number {
  const [x, y] = [moments(a), moments(b)];
  return (x.mean - y.mean) / Math.sqrt(x.variance / a.length + y.variance / b.length);
}

function moments(values: number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
}

function shuffled<T>(items: T[]): T[] {
  return items.map((item) => ({ item, order: Math.random() })).sort((a, b) => a.order - b.order).map(({ item }) => item);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
