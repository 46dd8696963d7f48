// One documented example of each event type: what a test delivery carries, and what GET /api/v1/event-types shows.
// An event type without an example does not compile.
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { eventPayload, eventSchemas, newEvent, type EventType } from './events.js';
import type { JsonObject } from './public-json.js';

interface EventExample<T extends EventType> {
  /** When it happens, for people. */
  description: string;
  data: MessageInitShape<(typeof eventSchemas)[T]>;
}

/** The ids are of no real thing: receivers that look them up find nothing. */
const ids = {
  event: 'evt_01jq8x3v6kf5hs2m9rb4cn7dtg',
  workspace: 'ws_01jq8x3v6kf5hs2m9rb4cn7dth',
  page: 'page_01jq8x3v6kf5hs2m9rb4cn7dtj',
  goal: 'goal_01jq8x3v6kf5hs2m9rb4cn7dtk',
  hit: 'hit_01jq8x3v6kf5hs2m9rb4cn7dtm',
  key: 'key_01jq8x3v6kf5hs2m9rb4cn7dtn',
  endpoint: 'we_01jq8x3v6kf5hs2m9rb4cn7dtp',
};

const page = { pageId: ids.page, url: 'https://acme.notion.site/Pricing-1f0c', title: 'Pricing' };
const endpoint = { endpointId: ids.endpoint, url: 'https://hooks.acme.example/notion-analytics' };
const at = (time: string) => timestampFromDate(new Date(time));

export const eventExamples: { [T in EventType]: EventExample<T> } = {
  'page.created': { description: 'A page is tracked from now on.', data: page },
  'page.updated': { description: 'The URL, the title or another setting of a tracked page has changed.', data: page },
  'page.deleted': { description: 'A page is not tracked any more.', data: { pageId: page.pageId, url: page.url } },
  'goal.converted': {
    description: 'A visitor has met a goal. At most one for each hit and goal.',
    data: {
      goalId: ids.goal,
      goalName: 'Signed up',
      pageId: ids.page,
      hitId: ids.hit,
      visitorId: 'v_5f2b9c0e41d7a386',
      value: 49.5,
      convertedAt: at('2026-03-01T12:00:00.000Z'),
    },
  },
  'key.created': {
    description: 'An API key was made. The key itself is never part of it.',
    data: { keyId: ids.key, name: 'Nightly import', scopes: ['pages:read', 'reports:read'], expiresAt: at('2027-03-01T00:00:00.000Z'), lastFour: 'x7Qf' },
  },
  'key.revoked': {
    description: 'An API key was revoked and is refused everywhere.',
    data: { keyId: ids.key, name: 'Nightly import', revokedAt: at('2026-03-01T12:00:00.000Z') },
  },
  'webhook.test': { description: 'Sent by hand, to see whether deliveries arrive.', data: { message: 'It works.' } },
  'webhook.endpoint.failing': {
    description: 'No attempt at a webhook has succeeded for a while. Never sent to that webhook itself.',
    data: {
      ...endpoint,
      failingSince: at('2026-02-28T12:00:00.000Z'),
      failedAttempts: 34,
      responseCode: 503,
      disabledAtEarliest: at('2026-03-03T12:00:00.000Z'),
    },
  },
  'webhook.endpoint.disabled': {
    description: 'A webhook was disabled after failing for too long. Never sent to that webhook itself.',
    data: { ...endpoint, reason: 'No attempt has succeeded for 3 days.', disabledAt: at('2026-03-03T12:00:00.000Z') },
  },
  'webhook.endpoint.recovered': {
    description: 'A webhook whose owners were warned takes deliveries again.',
    data: { ...endpoint, failingSince: at('2026-02-28T12:00:00.000Z'), recoveredAt: at('2026-03-01T18:30:00.000Z') },
  },
};

/** The whole body of the example's delivery. */
export function examplePayload<T extends EventType>(type: T): JsonObject {
  const { data } = eventExamples[type];
  return eventPayload(newEvent({ type, id: ids.event, workspaceId: ids.workspace, createdAt: new Date('2026-03-01T12:00:00.250Z'), data }));
}
