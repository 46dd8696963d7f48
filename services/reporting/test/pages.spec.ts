import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { typeid } from 'typeid-js';
import { newWorkspace, startReportingBed, type ReportingBed } from './reporting-bed.js';

let reporting: ReportingBed;
beforeAll(async () => {
  reporting = await startReportingBed();
});
afterAll(() => reporting.stop());

const draft = { url: 'https://Acme.Notion.site/Handbook/?utm_source=mail#top', title: 'Handbook' };

test('a page is registered under its normalised URL, and its workspace is told', async () => {
  const { workspaceId, caller } = newWorkspace();
  const { page } = await reporting.pages.createPage({ caller, ...draft, timeZone: 'Europe/Berlin' });
  expect(page).toMatchObject({ workspaceId, url: 'https://acme.notion.site/Handbook', title: 'Handbook', timeZone: 'Europe/Berlin' });
  expect(page!.verifiedAt).toBeUndefined();
  expect(await reporting.pages.getPage({ caller, id: page!.id })).toMatchObject({ page });
  const event = await reporting.bed.nextEvent('page.created', workspaceId);
  expect(event.data.value).toMatchObject({ pageId: page!.id, url: page!.url, title: 'Handbook' });
});

test('a page of another workspace looks exactly like one that does not exist', async () => {
  const [owner, stranger] = [newWorkspace(), newWorkspace()];
  const { page } = await reporting.pages.createPage({ caller: owner.caller, ...draft });
  const missing = 'page_01jdefault00000000000000000';
  const refusal = (id: string) => reporting.pages.getPage({ caller: stranger.caller, id }).catch((error: unknown) => error as Error);
  const [foreign, unknown] = [await refusal(page!.id), await refusal(missing)];
  expect(foreign).toMatchObject({ code: 'not_found' });
  expect(JSON.stringify({ ...foreign, message: (foreign as Error).message }).replaceAll(page!.id, missing)).toBe(
    JSON.stringify({ ...unknown, message: (unknown as Error).message }),
  );
});

test('of some pages, those are told that are of another workspace or of none', async () => {
  const [owner, stranger] = [newWorkspace(), newWorkspace()];
  const { page: own } = await reporting.pages.createPage({ caller: owner.caller, ...draft });
  const { page: foreign } = await reporting.pages.createPage({ caller: stranger.caller, ...draft });
  const missing = typeid('page').toString();
  const unknownOf = async (ids: string[]) => (await reporting.pages.findUnknownPages({ caller: owner.caller, ids })).unknownIds;
  expect(await unknownOf([missing, own!.id, foreign!.id])).toEqual([missing, foreign!.id]);
  expect([await unknownOf([own!.id]), await unknownOf([])]).toEqual([[], []]);
  await expect(unknownOf(Array.from({ length: 101 }, () => missing))).rejects.toMatchObject({ code: 'invalid_request' });
});

test('a URL is tracked once per workspace, whatever variant it is given in, and again by other workspaces', async () => {
  const { caller } = newWorkspace();
  const { page } = await reporting.pages.createPage({ caller, ...draft });
  await expect(reporting.pages.createPage({ caller, title: 'Again', url: `${page!.url}/#other` })).rejects.toMatchObject({
    code: 'conflict',
    message: `This workspace already tracks ${page!.url} as ${page!.id}.`,
    fields: [{ pointer: '/url', code: 'taken' }],
  });
  await expect(reporting.pages.createPage({ caller: newWorkspace().caller, ...draft })).resolves.toBeDefined();
});

test('of two requests at once for the same URL exactly one wins', async () => {
  const { caller } = newWorkspace();
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => reporting.pages.createPage({ caller, ...draft })));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : []));
  expect(codes).toEqual(['conflict', 'conflict']);
});

test('a page needs no title', async () => {
  const { page } = await reporting.pages.createPage({ caller: newWorkspace().caller, url: 'https://a.site/untitled', title: '' });
  expect(page!.title).toBe('');
});

test('a URL that is too long once it is escaped is refused by name', async () => {
  const refused = reporting.pages.createPage({ caller: newWorkspace().caller, url: `https://a.site/${'漢'.repeat(2_000)}`, title: 'x' });
  await expect(refused).rejects.toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/url' }] });
});

test('every fault of a page is named at once, with its pointer', async () => {
  const { caller } = newWorkspace();
  const refused = reporting.pages.createPage({ caller, url: 'notion.site', title: ' ', timeZone: 'Berlin' });
  await expect(refused).rejects.toMatchObject({
    code: 'invalid_request',
    fields: [{ pointer: '/title' }, { pointer: '/url' }, { pointer: '/time_zone' }],
  });
});

test('pages are listed oldest first, in slices without gaps, and only those of the workspace', async () => {
  const { caller } = newWorkspace();
  await reporting.pages.createPage({ caller: newWorkspace().caller, ...draft });
  for (const title of ['1', '2', '3']) await reporting.pages.createPage({ caller, title, url: `https://a.site/${title}` });
  const first = await reporting.pages.listPages({ caller, limit: 2 });
  const second = await reporting.pages.listPages({ caller, limit: 2, after: first.pages[1]!.id });
  expect([first.hasMore, second.hasMore]).toEqual([true, false]);
  expect([...first.pages, ...second.pages].map(({ title }) => title)).toEqual(['1', '2', '3']);
});

test('a slice of more than a hundred pages is refused', async () => {
  await expect(reporting.pages.listPages({ caller: newWorkspace().caller, limit: 101 })).rejects.toMatchObject({ code: 'invalid_request' });
});

test('a request without a workspace is refused', async () => {
  await expect(reporting.pages.listPages({ limit: 1 })).rejects.toMatchObject({ code: 'workspace_required' });
});

test('tries of one request register one page, also at once, and its workspace is told once', async () => {
  const { workspaceId, caller } = newWorkspace();
  const wanted = { caller, id: typeid('page').toString(), ...draft };
  const made = await Promise.all([1, 2, 3].map(() => reporting.pages.createPage(wanted)));
  expect(made.map(({ page }) => page)).toEqual(Array(3).fill(made[0]!.page));
  const last = await reporting.pages.createPage({ caller, url: 'https://a.site/last', title: 'Last' });
  const told = await reporting.bed.firstEvents(2, 'page.created', workspaceId);
  expect(told.map(({ data }) => (data.value as { pageId: string }).pageId)).toEqual([wanted.id, last.page!.id]);
});

test('an id that another workspace has already says nothing of what that one has', async () => {
  const [owner, stranger] = [newWorkspace(), newWorkspace()];
  const { page } = await reporting.pages.createPage({ caller: owner.caller, ...draft });
  const own = await reporting.pages.createPage({ caller: stranger.caller, id: page!.id, url: 'https://b.site/', title: 'Mine' });
  expect(own.page).toMatchObject({ workspaceId: stranger.workspaceId, url: 'https://b.site/' });
  expect(await reporting.pages.getPage({ caller: owner.caller, id: page!.id })).toMatchObject({ page });
});
