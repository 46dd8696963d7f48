// Columns of parameters, read back by PostgreSQL.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@na/testing';
import fc from 'fast-check';
import pg from 'pg';
import { arraysOf, namesOf, unnest, type Column } from '../src/deliveries/columns.js';

interface Row {
  text: string | null;
  json: string | null;
  bytes: Buffer | null;
  count: number | null;
  ratio: number | null;
  at: Date | null;
}

const columns: Column<Row>[] = [
  { name: 'text', type: 'text', of: ({ text }) => text },
  { name: 'json', type: 'jsonb', of: ({ json }) => json },
  { name: 'bytes', type: 'bytea', of: ({ bytes }) => bytes },
  { name: 'count', type: 'integer', of: ({ count }) => count },
  { name: 'ratio', type: 'double precision', of: ({ ratio }) => ratio },
  { name: 'at', type: 'timestamptz', of: ({ at }) => at },
];

// PostgreSQL's text and jsonb take no NUL, and of UTF-16 only what is whole.
const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''));
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 4 });
const rows = fc.array(
  fc.record<Row>({
    text: orNull(fc.oneof(text, fc.constantFrom('NULL', '{}', '"', '\\', ',', ' '))),
    json: orNull(fc.dictionary(text, text).map((value) => JSON.stringify(value))),
    bytes: orNull(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
    count: orNull(fc.integer()),
    ratio: orNull(fc.double({ noNaN: true })),
    at: orNull(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31'), noInvalidDate: true })),
  }),
);

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

test('whatever rows are put into columns come out as they were', async () => {
  // As text: what pg makes of the values it reads is not what is tested.
  const select = `SELECT text, json::text AS json, bytes, count, ratio, extract(epoch FROM at)::text AS at FROM ${unnest(columns, 1, 'r')}`;
  await fc.assert(
    fc.asyncProperty(rows, async (sent) => {
      const { rows: read } = await client.query<Record<keyof Row, unknown>>(select, arraysOf(columns, sent));
      const seen = read.map((row) => ({ ...row, json: asParsed(row.json as string | null), at: row.at === null ? null : Math.round(Number(row.at) * 1_000) }));
      expect(seen).toEqual(sent.map((row) => ({ ...row, json: asParsed(row.json), at: row.at?.getTime() ?? null })));
    }),
  );
});

test('a time that is none is refused', () => {
  expect(() => arraysOf(columns, [{ text: null, json: null, bytes: null, count: null, ratio: null, at: new Date(NaN) }])).toThrow('The time is not valid');
});

test('columns are named in the order of their parameters', () => {
  expect(unnest(columns, 3, 'r')).toBe('unnest($3::text[], $4::jsonb[], $5::bytea[], $6::integer[], $7::double precision[], $8::timestamptz[]) AS r (text, json, bytes, count, ratio, at)');
  expect(namesOf(columns)).toBe('text, json, bytes, count, ratio, at');
});

function asParsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
