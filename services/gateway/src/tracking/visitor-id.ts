// Who a visitor is when the client does not say. Pure.
//
// A visitor without an id is told from others by address and user agent, for one UTC day and one workspace: the id is a
// keyed hash of them with the day inside, so that it can neither be turned back into an address nor followed from one day
// or workspace to the next. Whoever has the key and a list of candidate addresses could still test them; deleting each
// day's salt, which would end that, needs salts that the replicas share, and is not done yet.
import { createHmac } from 'node:crypto';

export interface VisitorTraits {
  workspaceId: string;
  address: string;
  userAgent: string;
}

export function derivedVisitorId({ workspaceId, address, userAgent }: VisitorTraits, at: Date, key: Uint8Array): string {
  const day = at.toISOString().slice(0, 10);
  return createHmac('sha256', key).update(JSON.stringify([day, workspaceId, address, userAgent])).digest('base64url').slice(0, 22);
}
