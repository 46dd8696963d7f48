// The settings of key-management besides those of every service.
import { databaseSettings, listOf, type Setting } from '@na/service-host';
import type { Pepper } from './keys/key-digest.js';

const form = /^(\d{1,9}):([A-Za-z0-9+/]{43}=)$/;

function parsePeppers(entries: string[]): Pepper[] {
  const matches = entries.map((entry) => form.exec(entry));
  const peppers = matches.filter((match) => match !== null).map(([, version, key]) => ({ version: Number(version), key: Buffer.from(key!, 'base64') }));
  if (peppers.length === 0 || peppers.length < matches.length) throw new Error('must be entries of the form <version>:<32 bytes in base64>');
  if (new Set(peppers.map(({ version }) => version)).size < peppers.length) throw new Error('must not name a version twice');
  return peppers;
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
};
