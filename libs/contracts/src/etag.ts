// Entity tags (RFC 9110) of what the public API shows. A service that is told an If-Match compares it with the thing it has
// locked, so that what was read is what is changed.
//
// A tag has two halves: the first is of what somebody decided, the second of everything shown. If-None-Match asks for both,
// so that a client never takes an old answer for the current one. If-Match asks for the first alone: a key that is in use
// has another last_used_at each time one looks, and could else never be changed by whoever has read it.
import { createHash } from 'node:crypto';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { publicJson } from './public-json.js';

/** What the system notes by itself, as time goes on and things are used. */
const noted = new Set(['last_used_at', 'failing_since', 'paused_until', 'verified_at']);

/** Strong: equal tags mean equal JSON. Quoted, as in the header. */
export function etagOf(schema: DescMessage, message: Message): string {
  return etagOfJson(publicJson(schema, message));
}

export function etagOfJson(json: unknown): string {
  const decided = JSON.stringify(json, (name, value: unknown) => (noted.has(name) ? undefined : inOrder(value)));
  const shown = JSON.stringify(json, (_name, value: unknown) => inOrder(value));
  return `"${digest(decided)}.${digest(shown)}"`;
}

/** A weak tag matches nothing. @param header as it came: `*`, or tags separated by commas */
export function ifMatchHolds(header: string, etag: string): boolean {
  return listOf(header).some((tag) => tag === '*' || decidedHalf(tag) === decidedHalf(etag));
}

/** If-None-Match compares weakly. */
export function ifNoneMatchHolds(header: string, etag: string): boolean {
  return !listOf(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
}

/** A map that was stored comes back in another order than it was sent in. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function decidedHalf(tag: string): string | undefined {
  return /^"([\w-]{22})\.[\w-]{22}"$/.exec(tag)?.[1];
}

function listOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}
