// The groups that a query jumps to, over a table that has nothing but what groups go by, in a database that sorts by a language: there
// capitals, underscores and dots do not stand where their bytes would have them.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@na/testing';
import pg from 'pg';
import { groupsOf } from '../src/deliveries/delivery-groups.js';

const statuses = ['pending', 'retrying', 'succeeded', 'failed', 'cancelled'];
const types = ['page.created', 'page_created', 'Page.deleted', 'goal.converted', 'key-made'];
const codes = [null, 200, 404, 500];

let beside: TestDatabase;
let sql: pg.Client;
const administer = async (statement: string) => {
  const client = new pg.Client({ connectionString: beside.adminUrl });
  await client.connect();
  await client.query(statement).finally(() => client.end());
};
const name = `language_${process.pid}`;

beforeAll(async () => {
  beside = await createTestDatabase();
  await administer(`CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'`);
  const url = new URL(beside.adminUrl);
  url.pathname = `/${name}`;
  sql = new pg.Client({ connectionString: url.href });
  await sql.connect();
  await sql.query('CREATE TABLE deliveries (workspace_id text, status text, event_type text, response_code integer)');
  await sql.query(
    `INSERT INTO deliveries SELECT 'ws', status, event_type, code FROM unnest($1::text[]) AS status, unnest($2::text[]) AS event_type, unnest($3::integer[]) AS code`,
    [statuses, types, codes],
  );
});
afterAll(async () => {
  await sql.end();
  await administer(`DROP DATABASE ${name}`);
  await beside.drop();
});

interface Wanted {
  statuses: string[] | null;
  eventTypes: string[] | null;
  responseCode: number | null;
}

interface Group {
  status: string;
  event_type: string;
  response_code: number;
}

/** @returns the groups, and how many jumps it took to find them */
async function find({ statuses: ofStatuses, eventTypes, responseCode }: Wanted): Promise<{ groups: Group[]; jumps: number }> {
  const groups = groupsOf(`d.workspace_id = 'ws'`, 'true', { statuses: '$1::text[]', eventTypes: '$2::text[]', responseCode: '$3::integer' });
  const { rows } = await sql.query<Group & { jumps: number }>(
    `WITH RECURSIVE ${groups} SELECT counted.jumps, g.* FROM (SELECT count(*)::integer - 1 AS jumps FROM met) AS counted LEFT JOIN groups g ON true`,
    [ofStatuses, eventTypes, responseCode],
  );
  return { jumps: rows[0]!.jumps, groups: rows.filter(({ status }) => status !== null).map(({ status, event_type, response_code }) => ({ status, event_type, response_code })) };
}

/** By looking at each. */
function expectedGroups({ statuses: ofStatuses, eventTypes, responseCode }: Wanted): Group[] {
  const all = statuses.flatMap((status) => types.flatMap((event_type) => codes.map((code) => ({ status, event_type, response_code: code ?? 0 }))));
  return all.filter((group) => {
    const isOfStatus = ofStatuses?.includes(group.status) ?? true;
    const isOfType = eventTypes?.includes(group.event_type) ?? true;
    return isOfStatus && isOfType && (responseCode === null || group.response_code === responseCode);
  });
}

const inOrder = (groups: Group[]) => groups.map((group) => Object.values(group).join(' ')).sort();

test('whatever is wanted, there or not, exactly its groups are found', async () => {
  for (const ofStatuses of [null, [], ['failed'], ['succeeded', 'cancelled'], statuses]) {
    for (const eventTypes of [null, [], ['page.created'], ['key-made', 'Page.deleted', 'nobody.knows'], ['aaa'], ['zzz'], types]) {
      for (const responseCode of [null, 0, 100, 200, 404, 999]) {
        const wanted = { statuses: ofStatuses, eventTypes, responseCode };
        expect([wanted, inOrder((await find(wanted)).groups)]).toEqual([wanted, inOrder(expectedGroups(wanted))]);
      }
    }
  }
});

const [any, oneType] = [null, ['page.created']];
test.each([
  ['everything: one to each group', { statuses: any, eventTypes: any, responseCode: any }, 100],
  ['one type and one code: one to each status', { statuses: any, eventTypes: oneType, responseCode: 404 }, 5],
  ['some types and one code of one status: one to each type', { statuses: ['failed'], eventTypes: ['goal.converted', 'page.created'], responseCode: 404 }, 2],
  ['one type: to each of its groups, and past it in each status', { statuses: any, eventTypes: oneType, responseCode: any }, 5 * (codes.length + 1)],
  ['one code: to the first of each type, and to it', { statuses: any, eventTypes: any, responseCode: 404 }, 2 * 5 * types.length],
  ['a code that is not there: to the first of each type', { statuses: any, eventTypes: any, responseCode: 999 }, 5 * types.length],
  ['a status that is wanted alone: to its groups, and once past it', { statuses: ['pending'], eventTypes: any, responseCode: any }, types.length * codes.length + 1],
  ['nothing that there could be', { statuses: [], eventTypes: any, responseCode: any }, 0],
])('jumps go over what is not wanted, for %s', async (_, wanted, most) => {
  expect((await find(wanted)).jumps).toBeLessThanOrEqual(most);
});
