// How the others are told that a page's first hit has come.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { newEvent, type Envelope } from '@na/contracts';
import type { VerifiedPage } from '../hits/hits-store.js';

export function verifiedEvent({ workspaceId, id, url, title, verifiedAt }: VerifiedPage, now: Date): Envelope {
  const data = { pageId: id, url, title, verifiedAt: timestampFromDate(verifiedAt) };
  return newEvent({ type: 'page.verified', workspaceId, createdAt: now, data });
}
