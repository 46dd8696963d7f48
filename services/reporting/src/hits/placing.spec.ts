import { expect, test } from '@jest/globals';
import type { HitRow } from './hit-row.js';
import type { KnownPage } from './hits-store.js';
import { firstHits, placeHits } from './placing.js';

const page: KnownPage = { workspaceId: 'ws_1', id: 'page_1', url: 'https://a.site/x', verified: false };
const hit = (overrides: Partial<HitRow>) => ({ workspaceId: 'ws_1', namedPageId: null, url: null, ...overrides }) as HitRow;
const placed = (overrides: Partial<HitRow>, pages = [page]) => placeHits([hit(overrides)], pages)[0]!.pageId;

test('a hit is of the page it names by id or by URL', () => {
  expect(placed({ namedPageId: 'page_1' })).toBe('page_1');
  expect(placed({ url: 'https://a.site/x' })).toBe('page_1');
});

test('a hit of another workspace is of no page here', () => {
  expect(placed({ workspaceId: 'ws_2', namedPageId: 'page_1' })).toBeNull();
  expect(placed({ workspaceId: 'ws_2', url: 'https://a.site/x' })).toBeNull();
});

test('a hit that names an unknown id is not placed by its URL', () => {
  expect(placed({ namedPageId: 'page_9', url: 'https://a.site/x' })).toBeNull();
});

test('first hits are those of pages not yet verified', () => {
  const pages = [page, { ...page, id: 'page_2', verified: true }];
  const hits = placeHits([hit({ namedPageId: 'page_1' }), hit({ namedPageId: 'page_2' }), hit({})], pages);
  expect(firstHits(hits, pages).map(({ pageId }) => pageId)).toEqual(['page_1']);
});
