import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
beforeAll(async () => void (gateway = await GatewayBed.start()));
afterAll(() => gateway.stop());

async function keyWithPages(count: number): Promise<{ key: TestKey; ids: string[] }> {
  const key = gateway.newKey();
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await gateway.post('/api/v1/pages', { url: `https://example.com/${i}` }, key.headers)).body.id);
  return { key, ids: ids.sort() };
}

test('following the cursors shows everything once', async () => {
  const { key, ids } = await keyWithPages(5);
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = await gateway.get(`/api/v1/pages?limit=2${cursor && `&cursor=${cursor}`}`, key.headers);
    seen.push(...body.data.map(({ id }: { id: string }) => id));
    expect(body.has_more).toBe(body.next_cursor !== null);
    cursor = body.next_cursor;
  }
  expect(seen).toEqual(ids);
});

test('a cursor that was changed, belongs to another workspace or to another list is 400', async () => {
  const { key } = await keyWithPages(2);
  const { body } = await gateway.get('/api/v1/pages?limit=1', key.headers);
  const cursor: string = body.next_cursor;
  const changed = (cursor.startsWith('A') ? 'B' : 'A') + cursor.slice(1);
  const attempts = [
    await gateway.get(`/api/v1/pages?cursor=${changed}`, key.headers),
    await gateway.get(`/api/v1/pages?cursor=${cursor}`, gateway.newKey().headers),
    await gateway.get(`/api/v1/webhooks?cursor=${cursor}`, key.headers),
  ];
  for (const { status, body } of attempts) expect([status, body.errors[0].code]).toEqual([400, 'invalid_cursor']);
});

test('the limit is a whole number from 1 to 100, and other parameters are unknown', async () => {
  const { headers } = gateway.newKey();
  for (const query of ['limit=0', 'limit=101', 'limit=1.5', 'limit=', 'limit=1&limit=2', 'order=desc']) {
    const { status, body } = await gateway.get(`/api/v1/pages?${query}`, headers);
    expect([query, status, body.code]).toEqual([query, 400, 'invalid_request']);
  }
});
