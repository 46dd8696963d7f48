// The settings of key-management besides those of every service.
import { databaseSettings, listOf, wholeNumber, type Setting } from '@na/service-host';
import type { Pepper } from './keys/key-digest.js';

const form = /^(\d{1,9}):([A-Za-z0-9+/]{43}=)$/;

function parsePeppers(entries: string[]): Pepper[] {
  const matches = entries.map((entry) => form.exec(entry));
  const peppers = matches.filter((match) => match !== null).map(([, version, key]) => ({ version: Number(version), key: Buffer.from(key!, 'base64') }));
  if (peppers.length === 0 || peppers.length < matches.length) throw new Error('must be entries of the form <version>:<32 bytes in base64>');
  if (new Set(peppers.map(({ version }) => version)).size < peppers.length) throw new Error('must not name a version twice');
  return peppers;
}

function parseDays(entries: string[]): number[] {
  if (!entries.every((entry) => /^[1-9]\d{0,2}$/.test(entry))) throw new Error('must be whole numbers from 1 to 999');
  return entries.map(Number);
}

/**
 * Who has how many of the connections. Verdicts take one short statement each and never wait for what changes things; the
 * rest is for reading, the outbox and the warnings. A pool of fewer than three is taken for three.
 */
export function poolShares(databasePoolSize: number): { verdicts: number; changes: number; rest: number } {
  const verdicts = Math.ceil(databasePoolSize / 4);
  const rest = Math.max(1, Math.floor((databasePoolSize - verdicts) / 3));
  return { verdicts, rest, changes: Math.max(1, databasePoolSize - verdicts - rest) };
}

export const settings = {
  ...databaseSettings,
  keyPeppers: {
    description:
      'What the stored digests of keys are made with, such as "1:<32 random bytes in base64>". To change it, append ",2:<…>": ' +
      'the highest version makes the digests of new keys, the older ones still verify theirs. Losing a version voids its keys.',
    schema: listOf(parsePeppers),
    secret: true,
  } satisfies Setting<Pepper[]>,
  keyLeaseMs: {
    description:
      'How long a gateway may go by what it remembers of keys without hearing from key-management, in milliseconds. A revocation waits ' +
      'at most a third longer for a gateway that is silent. Shorter asks key-management more often.',
    schema: wholeNumber(100, 10_000),
    default: '3000',
  } satisfies Setting<number>,
  keyExpiryWarningDays: {
    description: 'Days before the expiry of a key at which key.expiring is told, separated by commas. Empty: never.',
    schema: listOf(parseDays),
    default: '7,1',
  } satisfies Setting<number[]>,
  maxKeysPerWorkspace: {
    description: 'Most keys that a workspace may have, those that are revoked or have expired not counted. Fewer take none away.',
    schema: wholeNumber(1, 100_000),
    default: '1000',
  } satisfies Setting<number>,
  rateLimit: {
    description: "As the gateway's: what a key without a rate limit of its own may do, and so the most that it may give to another one.",
    schema: wholeNumber(1, 100_000),
    default: '600',
  } satisfies Setting<number>,
  rateLimitWindowSeconds: {
    description: 'Length of its window.',
    schema: wholeNumber(1, 3_600),
    default: '60',
  } satisfies Setting<number>,
};
