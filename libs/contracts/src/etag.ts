// Entity tags (RFC 9110) of what the public API shows. A service that is told an If-Match compares it with the thing it has
// locked, so that what was read is what is changed.
import { createHash } from 'node:crypto';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { publicJson } from './public-json.js';

/** Strong: equal tags mean equal JSON. Quoted, as in the header. */
export function etagOf(schema: DescMessage, message: Message): string {
  return etagOfJson(publicJson(schema, message));
}

export function etagOfJson(json: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(json)).digest('base64url').slice(0, 27)}"`;
}

/** If-Match compares strongly: a weak tag matches nothing. @param header as it came: `*`, or tags separated by commas */
export function ifMatchHolds(header: string, etag: string): boolean {
  return listOf(header).some((tag) => tag === '*' || tag === etag);
}

/** If-None-Match compares weakly. */
export function ifNoneMatchHolds(header: string, etag: string): boolean {
  return !listOf(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
}

function listOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}
