import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { DeliverPolicy } from '@nats-io/jetstream';
import { deadLetterSubject, hitSubject, streams, type PageVerified } from '@na/contracts';
import { aHit, newWorkspace, publishedConversions, publishedEvents, send, startReportingBed, unacknowledged, until, type ReportingBed } from './reporting-bed.js';

let reporting: ReportingBed;
beforeAll(async () => {
  reporting = await startReportingBed();
});
afterAll(() => reporting.stop());

/** Hits are taken in order, so once the goal of a last hit is converted, all that was sent before has been dealt with. */
async function settled(): Promise<void> {
  const { workspaceId, caller } = newWorkspace();
  await reporting.goals.createGoal({ caller, name: 'Last', eventName: 'signup' });
  await send(reporting, aHit(workspaceId));
  await reporting.bed.nextEvent('goal.converted', workspaceId);
}

interface StoredHit {
  id: string;
  page_id: string | null;
  partition: string;
}

async function storedHits(workspaceId: string): Promise<StoredHit[]> {
  const query = 'SELECT id, page_id, tableoid::regclass::text AS partition FROM hits WHERE workspace_id = $1 ORDER BY id';
  return (await reporting.sql.query<StoredHit>(query, [workspaceId])).rows;
}

test('a hit for a named event converts its goal and is told as exactly one event', async () => {
  const { workspaceId, caller } = newWorkspace();
  const { page } = await reporting.pages.createPage({ caller, url: 'https://a.site/pricing', title: 'Pricing' });
  const { goal } = await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup', pageId: page!.id, value: 9.5 });
  const hit = aHit(workspaceId, { url: 'https://A.site/pricing/?utm_source=mail' });
  await send(reporting, hit);
  const event = await reporting.bed.nextEvent('goal.converted', workspaceId);
  expect(event.data.value).toMatchObject({
    goalId: goal!.id,
    goalName: 'Sign-up',
    pageId: page!.id,
    hitId: hit.id,
    visitorId: 'visitor_1',
    value: 9.5,
    convertedAt: { seconds: hit.occurredAt!.seconds },
  });
  await settled();
  expect(await publishedConversions(reporting, workspaceId)).toBe(1);
});

test('a hit delivered again is acknowledged, stored once and converts once', async () => {
  const { workspaceId, caller } = newWorkspace();
  await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup' });
  const hit = aHit(workspaceId);
  await send(reporting, hit, { delivery: '1' });
  await reporting.bed.nextEvent('goal.converted', workspaceId);
  await Promise.all(['2', '3', '4'].map((delivery) => send(reporting, hit, { delivery })));
  await settled();
  await until(async () => (await unacknowledged(reporting)) === 0);
  expect(await storedHits(workspaceId)).toHaveLength(1);
  expect(await publishedConversions(reporting, workspaceId)).toBe(1);
});

test('a hit delivered again is not judged by the goals made since', async () => {
  const { workspaceId, caller } = newWorkspace();
  const hit = aHit(workspaceId);
  await send(reporting, hit, { delivery: '1' });
  await settled();
  await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup' });
  await send(reporting, hit, { delivery: '2' });
  await settled();
  expect(await publishedConversions(reporting, workspaceId)).toBe(0);
});

test('a message that is no hit goes to the dead-letter stream and holds up none of the hits around it', async () => {
  const { workspaceId } = newWorkspace();
  const poison = Buffer.from([0xff, 0xff, 0xff]);
  await Promise.all([
    ...[1, 2, 3].map(() => send(reporting, aHit(workspaceId))),
    reporting.bed.publisher.publish({ subject: hitSubject(workspaceId, 'visitor_1'), body: poison, id: `${workspaceId}:poison` }),
    ...[4, 5, 6].map(() => send(reporting, aHit(workspaceId))),
  ]);
  const dead = await reporting.bed.bus.js.consumers.get(streams.deadLetters.name, {
    filter_subjects: deadLetterSubject('NA_HITS', 'reporting-hits'),
    deliver_policy: DeliverPolicy.All,
  });
  expect(Buffer.from((await dead.next())!.data)).toEqual(poison);
  await settled();
  expect(await storedHits(workspaceId)).toHaveLength(6);
});

test('a hit of a page nobody tracks, or of another workspace, is kept without a page', async () => {
  const [owner, stranger] = [newWorkspace(), newWorkspace()];
  const { page } = await reporting.pages.createPage({ caller: owner.caller, url: 'https://a.site/', title: 'A' });
  await send(reporting, aHit(stranger.workspaceId, { id: 'by-id', pageId: page!.id, url: '' }));
  await send(reporting, aHit(stranger.workspaceId, { id: 'by-url', url: page!.url }));
  await settled();
  expect(await storedHits(stranger.workspaceId)).toMatchObject([{ id: 'by-id', page_id: null }, { id: 'by-url', page_id: null }]);
  expect((await reporting.pages.getPage({ caller: owner.caller, id: page!.id })).page!.verifiedAt).toBeUndefined();
});

test('a page is verified when its first hit was received, and stays so', async () => {
  const { workspaceId, caller } = newWorkspace();
  const { page } = await reporting.pages.createPage({ caller, url: 'https://a.site/', title: 'A' });
  const [first, later] = [timestampFromDate(new Date('2026-11-24T12:00:00.500Z')), timestampFromDate(new Date('2026-11-24T13:00:00Z'))];
  for (const receivedAt of [first, later]) {
    await send(reporting, aHit(workspaceId, { pageId: page!.id, url: '', type: 'pageview', receivedAt, occurredAt: receivedAt }));
    await settled();
    expect((await reporting.pages.getPage({ caller, id: page!.id })).page!.verifiedAt).toEqual(first);
  }
});

test('that a page is verified is told once, with the time of the hit that did it, however many hits come at once or again', async () => {
  const { workspaceId, caller } = newWorkspace();
  const { page } = await reporting.pages.createPage({ caller, url: 'https://a.site/pricing', title: 'Pricing' });
  const receivedAt = timestampFromDate(new Date('2026-11-24T12:00:00.500Z'));
  const hit = aHit(workspaceId, { pageId: page!.id, url: '', type: 'pageview', receivedAt, occurredAt: receivedAt });
  const later = timestampFromDate(new Date('2026-11-24T12:00:01Z'));
  await Promise.all([send(reporting, hit), send(reporting, aHit(workspaceId, { pageId: page!.id, url: '', receivedAt: later }))]);
  const event = await reporting.bed.nextEvent('page.verified', workspaceId);
  expect(event.data.value).toMatchObject({ pageId: page!.id, url: page!.url, title: 'Pricing' });
  expect([receivedAt, later]).toContainEqual((event.data.value as PageVerified).verifiedAt);
  await Promise.all([send(reporting, hit, { delivery: '2' }), send(reporting, aHit(workspaceId, { pageId: page!.id, url: '' }))]);
  await settled();
  await until(async () => (await unacknowledged(reporting)) === 0);
  expect(await publishedEvents(reporting, workspaceId, 'page.verified')).toBe(1);
});

test('a hit of no page verifies none', async () => {
  const { workspaceId, caller } = newWorkspace();
  await reporting.pages.createPage({ caller, url: 'https://a.site/', title: 'A' });
  await send(reporting, aHit(workspaceId, { url: 'https://a.site/other' }));
  await settled();
  expect(await publishedEvents(reporting, workspaceId, 'page.verified')).toBe(0);
});

test('the goals of another workspace are not met', async () => {
  const [visited, other] = [newWorkspace(), newWorkspace()];
  await reporting.goals.createGoal({ caller: other.caller, name: 'Sign-up', eventName: 'signup' });
  await send(reporting, aHit(visited.workspaceId));
  await settled();
  expect(await publishedConversions(reporting, other.workspaceId)).toBe(0);
  expect(await publishedConversions(reporting, visited.workspaceId)).toBe(0);
});

test('one hit meets several goals, and several hits of one batch each meet theirs', async () => {
  const { workspaceId, caller } = newWorkspace();
  for (const name of ['One', 'Two']) await reporting.goals.createGoal({ caller, name, eventName: 'signup' });
  await Promise.all(['a', 'b', 'c'].map((id) => send(reporting, aHit(workspaceId, { id }))));
  await settled();
  expect(await publishedConversions(reporting, workspaceId)).toBe(6);
});

test('a hit is stored with all it says', async () => {
  const { workspaceId } = newWorkspace();
  const said = { referrer: 'https://b.site/', utm: { source: 'mail' }, props: { plan: 'pro', seats: 3, tags: ['a"b', null] } };
  await send(reporting, aHit(workspaceId, { id: 'full', ...said }));
  await settled();
  const { rows } = await reporting.sql.query('SELECT * FROM hits WHERE workspace_id = $1', [workspaceId]);
  expect(rows).toMatchObject([{ id: 'full', type: 'event', name: 'signup', visitor_id: 'visitor_1', ...said }]);
});

test('a month gets its partition when a hit needs it, and takes along what had gone to the default one', async () => {
  const { workspaceId } = newWorkspace();
  const at = (moment: string) => timestampFromDate(new Date(moment));
  // What no gateway lets through: a moment half a year ahead of its receipt.
  await send(reporting, aHit(workspaceId, { id: 'early', occurredAt: at('2031-05-10T00:00:00Z'), receivedAt: at('2030-11-01T00:00:00Z') }));
  await settled();
  expect(await storedHits(workspaceId)).toMatchObject([{ id: 'early', partition: 'hits_default' }]);
  await send(reporting, aHit(workspaceId, { id: 'now', occurredAt: at('2031-05-20T00:00:00Z'), receivedAt: at('2031-05-20T00:00:00Z') }));
  await settled();
  expect(await storedHits(workspaceId)).toMatchObject([{ id: 'early', partition: 'hits_2031_05' }, { id: 'now', partition: 'hits_2031_05' }]);
});

test('the month of the start and its neighbours have their partitions before any hit comes', async () => {
  const now = reporting.bed.clock.now();
  const month = (offset: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset)).toISOString().slice(0, 7).replace('-', '_');
  const query = `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'hits'::regclass`;
  const { rows } = await reporting.sql.query<{ name: string }>(query);
  expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining([-1, 0, 1].map((offset) => `hits_${month(offset)}`)));
});
