// Where the API is and with which token: from the environment, or as `npm start` left it in its data folder.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Refusal, type Access } from './api.ts';

const checkout = resolve(import.meta.dirname, '../../..');

/** @throws Refusal that says what to set */
export function accessFrom(env: NodeJS.ProcessEnv): Access {
  const folder = resolve(env.DATA_DIR || join(checkout, '.data'));
  const url = env.NA_URL || left(folder, 'gateway-url');
  // The token of this checkout is for nobody else's address.
  const token = env.OPERATOR_TOKEN || (env.NA_URL ? '' : left(folder, 'operator-token'));
  if (!url) throw new Refusal('Where is the API? Set NA_URL, such as https://api.example.com, or run npm start first.');
  if (!token) throw new Refusal('Set OPERATOR_TOKEN to the token of the installation, or to an API key: the token of this checkout is sent to no address given in NA_URL.');
  return { url: baseOf(url), token };
}

/** Whoever gives the address of the API itself means the same. */
function baseOf(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
}

function left(folder: string, name: string): string {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}
