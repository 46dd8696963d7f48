// A hit as it is stored, made from the message it came as. Pure.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Context } from '@opentelemetry/api';
import type { Hit } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { normalisePageUrl } from '../pages/page-url.js';

export interface HitRow {
  workspaceId: string;
  id: string;
  occurredAt: Date;
  receivedAt: Date;
  /** The page the hit names by id, if it does; which page it is of, the table of pages says. */
  namedPageId: string | null;
  /** Normalised where it can be, so that the hit is found under the URL its page has. */
  url: string | null;
  type: string;
  name: string | null;
  visitorId: string;
  referrer: string | null;
  /** JSON text. */
  utm: string | null;
  /** JSON text. */
  props: string | null;
  /** The trace the hit came with; not stored. */
  trace: Context;
}

/** @throws ServiceError `invalid_request` when the hit lacks what its key is made of */
export function hitRow(hit: Hit, trace: Context): HitRow {
  if (!hit.workspaceId || !hit.id || !hit.occurredAt || !hit.receivedAt) {
    throw new ServiceError('invalid_request', 'A hit must have a workspace, an id and both of its times.');
  }
  return {
    workspaceId: hit.workspaceId,
    id: hit.id,
    occurredAt: timestampDate(hit.occurredAt),
    receivedAt: timestampDate(hit.receivedAt),
    namedPageId: textOrNull(hit.pageId),
    url: textOrNull(normalisePageUrl(hit.url) ?? hit.url),
    type: storable(hit.type),
    name: textOrNull(hit.name),
    visitorId: storable(hit.visitorId),
    referrer: textOrNull(hit.referrer),
    utm: jsonOrNull(hit.utm),
    props: jsonOrNull(hit.props ?? {}),
    trace,
  };
}

/** PostgreSQL holds no U+0000. Whoever sent one has been told that the hit is accepted, so it is kept without. */
function storable(text: string): string {
  return text.replaceAll('\0', '');
}

function textOrNull(text: string): string | null {
  return storable(text) || null;
}

/** An escape of U+0000 is one only when the backslashes before it pair up. */
const escapedNul = /(?<!\\)((?:\\\\)*)\\u0000/g;

function jsonOrNull(value: object): string | null {
  return Object.keys(value).length === 0 ? null : JSON.stringify(value).replace(escapedNul, '$1');
}
