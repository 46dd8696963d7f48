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
  report: 'rpt_01jq8x3v6kf5hs2m9rb4cn7dtq',
  run: 'run_01jq8x3v6kf5hs2m9rb4cn7dtr',
  schedule: 'sch_01jq8x3v6kf5hs2m9rb4cn7dts',
  export: 'exp_01jq8x3v6kf5hs2m9rb4cn7dtt',
  insight: 'ins_01jq8x3v6kf5hs2m9rb4cn7dtv',
};

const at = (time: string) => timestampFromDate(new Date(time));
const happenedAt = at('2026-03-01T12:00:00.000Z');
const api = 'https://api.acme.example/api/v1';

const page = { pageId: ids.page, url: 'https://acme.notion.site/Pricing-1f0c', title: 'Pricing' };
const endpoint = { endpointId: ids.endpoint, url: 'https://hooks.acme.example' };
const key = { keyId: ids.key, name: 'Nightly import' };
const hour = { windowStart: at('2026-03-01T11:00:00.000Z'), windowEnd: happenedAt };
const exported = { exportId: ids.export, content: 'hits', format: 'csv' };
/** Of the spike and of the insight, which tell of the same hour. */
const spikeDrivers = [
  { dimension: 'referrer', value: 'news.ycombinator.com', visitors: 268, expectedVisitors: 0 },
  { dimension: 'country', value: 'US', visitors: 171, expectedVisitors: 9.5 },
];

export const eventExamples: { [T in EventType]: EventExample<T> } = {
  'page.created': { description: 'A page is tracked from now on.', data: page },
  'page.updated': { description: 'The URL, the title or another setting of a tracked page has changed.', data: page },
  'page.deleted': { description: 'A page is not tracked any more.', data: { pageId: page.pageId, url: page.url } },
  'page.verified': { description: "A page's first hit came in: its widget is in place.", data: { ...page, verifiedAt: happenedAt } },
  'page.traffic_spike': {
    description: 'A page has far more visitors than it usually has at this time. At most one for each page in 12 hours.',
    data: { ...page, traffic: { ...hour, visitors: 312, expectedVisitors: 24, changePercent: 1_200 }, drivers: spikeDrivers },
  },
  'page.traffic_drop': {
    description: 'A page has far fewer visitors than it usually has at this time, or none. At most one for each page in 12 hours.',
    data: {
      ...page,
      traffic: { ...hour, visitors: 0, expectedVisitors: 24, changePercent: -100 },
      drivers: [{ dimension: 'referrer', value: 'google.com', visitors: 0, expectedVisitors: 15 }],
      lastHitAt: at('2026-03-01T08:41:07.512Z'),
    },
  },
  'goal.converted': {
    description: 'A visitor has met a goal. At most one for each hit and goal.',
    data: {
      goalId: ids.goal,
      goalName: 'Signed up',
      pageId: ids.page,
      hitId: ids.hit,
      visitorId: 'v_5f2b9c0e41d7a386',
      value: 49.5,
      convertedAt: happenedAt,
    },
  },
  'report.completed': {
    description: 'A run of a saved report has ended, and its results can be fetched.',
    data: {
      reportId: ids.report,
      reportName: 'Last seven days',
      runId: ids.run,
      scheduleId: ids.schedule,
      periodStart: at('2026-02-21T23:00:00.000Z'),
      periodEnd: at('2026-02-28T23:00:00.000Z'),
      timeZone: 'Europe/Berlin',
      rowCount: 42,
      formats: ['json', 'csv', 'pdf'],
      warnings: ['referrer_unavailable_in_embed'],
      runUrl: `${api}/reports/${ids.report}/runs/${ids.run}`,
      completedAt: happenedAt,
    },
  },
  'export.completed': {
    description: "An export's file is complete and can be downloaded.",
    data: {
      ...exported,
      rowCount: 184_203,
      sizeBytes: 27_630_450,
      sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
      downloadUrl: `${api}/exports/${ids.export}/download`,
      downloadExpiresAt: at('2026-03-02T12:00:00.000Z'),
      completedAt: happenedAt,
    },
  },
  'export.failed': {
    description: 'An export has ended without a file, and is not tried again by itself.',
    data: {
      ...exported,
      code: 'too_many_rows',
      reason: 'The export has more than 50,000,000 rows. Export a shorter period.',
      failedAt: happenedAt,
    },
  },
  'insight.created': {
    description: 'A material change in the numbers was detected, with the facts it rests on and a summary in words.',
    data: {
      insightId: ids.insight,
      kind: 'spike',
      severity: 'severe',
      pageId: ids.page,
      metric: 'visitors',
      value: 312,
      expected: 24,
      changePercent: 1_200,
      pValue: 0.000001,
      ...hour,
      drivers: spikeDrivers,
      summary: 'Pricing had 312 visitors in an hour that usually has 24. Most of them (268) came from news.ycombinator.com.',
      insightUrl: `${api}/insights/${ids.insight}`,
    },
  },
  'key.created': {
    description: 'An API key was made. The key itself is never part of it.',
    data: { ...key, scopes: ['pages:read', 'reports:read'], expiresAt: at('2027-03-01T00:00:00.000Z'), lastFour: 'x7Qf' },
  },
  'key.rotated': {
    description: 'An API key has a new secret. The secret itself is never part of it.',
    data: { ...key, lastFour: 'm2Kp', rotatedAt: happenedAt, previousValidUntil: at('2026-03-02T12:00:00.000Z') },
  },
  'key.revoked': { description: 'An API key was revoked and is refused everywhere.', data: { ...key, revokedAt: happenedAt, reason: 'by_hand' } },
  'key.expiring': {
    description: 'An API key will soon stop working. Nothing has happened to it yet.',
    data: { ...key, lastFour: 'x7Qf', expiresAt: at('2026-03-08T12:00:00.000Z'), lastUsedAt: at('2026-03-01T03:00:02.000Z') },
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
    description: 'A webhook was disabled: it failed for too long, or answered 410. Not when somebody disables it. Never sent to that webhook itself.',
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
