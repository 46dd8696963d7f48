// What an API key is made of: nak_<public id>_<secret><checksum>. Pure: randomness is an argument.
//
// The public id (26 characters) is the suffix of the key's TypeID. The secret is 256 random bits in 43 characters of base
// 62. The checksum, 6 characters of base 62, is the CRC-32 of everything before it: it tells a mistyped or made-up key
// without asking anyone, and lets secret scanners recognise a real one. It protects nothing.
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { typeIdSuffix } from './type-id.js';

export interface KeyMaterial {
  /** TypeID "key_…". */
  keyId: string;
  /** SHA-256 of the secret: all that leaves this process. */
  secretDigest: Buffer;
}

export interface NewKeyMaterial extends KeyMaterial {
  /** The whole key, to be shown once. */
  credential: string;
  /** The end of the credential, for people to tell their keys apart. */
  lastFour: string;
}

export const credentialPrefix = 'nak_';
export const secretBytes = 32;

const secretLength = 43;
const checksumLength = 6;
const form = new RegExp(`^${credentialPrefix}(${typeIdSuffix})_([0-9A-Za-z]{${secretLength}})([0-9A-Za-z]{${checksumLength}})$`);

/** @param random 32 bytes nobody else knows */
export function makeKey(keyId: string, random: Uint8Array): NewKeyMaterial {
  const secret = base62(BigInt(`0x${Buffer.from(random).toString('hex')}`), secretLength);
  const body = `${credentialPrefix}${keyId.slice(keyId.indexOf('_') + 1)}_${secret}`;
  const credential = body + checksum(body);
  return { keyId, secretDigest: sha256(secret), credential, lastFour: credential.slice(-4) };
}

/** @returns null for what can not be a key, which costs no look-up */
export function parseKey(credential: string): KeyMaterial | null {
  const match = form.exec(credential);
  if (!match || checksum(credential.slice(0, -checksumLength)) !== match[3]) return null;
  return { keyId: `key_${match[1]}`, secretDigest: sha256(match[2]!) };
}

/** In plain numbers: it is made for each request, and 32 bits need no BigInt. */
function checksum(body: string): string {
  let text = '';
  for (let rest = crc32(body); rest > 0; rest = Math.floor(rest / 62)) text = digits[rest % 62]! + text;
  return text.padStart(checksumLength, '0');
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = digits[Number(rest % 62n)]! + text;
  return text.padStart(length, '0');
}
