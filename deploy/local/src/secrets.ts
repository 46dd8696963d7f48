/** The secrets of a local installation: made at random once, and kept in the data folder for nobody else to read. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames, type ServiceName } from './provision.ts';

/** One line per secret; a name added here is made at the next start. */
const generators = {
  KEY_PEPPERS: () => `1:${key()}`,
  WEBHOOK_SEALING_KEYS: () => `1:${key()}`,
  CURSOR_KEY: () => key(),
};

export type Secrets = Record<keyof typeof generators, string> & { rolePasswords: Record<ServiceName, string> };

/** Loads the secrets of this data folder, after making those it does not have yet. */
export function loadSecrets(dataDir: string): Secrets {
  const file = secretsFile(dataDir);
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const made = Object.entries(generators).map(([name, generate]) => [name, generate()] as const);
  const passwords = serviceNames.map((service) => [service, randomBytes(24).toString('base64url')] as const);
  const secrets = {
    ...Object.fromEntries(made),
    ...known,
    rolePasswords: { ...Object.fromEntries(passwords), ...known.rolePasswords },
  } as Secrets;
  const text = `${JSON.stringify(secrets, undefined, 2)}\n`;
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writePrivately(file, text);
  return secrets;
}

/** The operator's token: the given one, else the one in the data folder, else a new one that is put there. */
export function loadOperatorToken(dataDir: string, given: string | undefined): string {
  if (given !== undefined) return given;
  const file = operatorTokenFile(dataDir);
  if (!existsSync(file)) writePrivately(file, randomBytes(32).toString('base64url'));
  return readFileSync(file, 'utf8').trim();
}

export function operatorTokenFile(dataDir: string): string {
  return join(dataDir, 'operator-token');
}

function secretsFile(dataDir: string): string {
  return join(dataDir, 'secrets.json');
}

function key(): string {
  return randomBytes(32).toString('base64');
}

/** Written aside and renamed: a crash leaves the old secrets or the new ones, never half of them. */
function writePrivately(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
