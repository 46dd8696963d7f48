import { expect, test } from '@jest/globals';
import { TypeID, typeid } from 'typeid-js';
import { newIdAt } from './new-id.js';

const claim = () => ({ newId: typeid().getSuffix() });
const uuidOf = (id: string) => TypeID.fromString(id).toUUID();

test('in each try of a request a thing has the same id, and no two things have one', () => {
  const record = claim();
  const ids = Array.from({ length: 1_000 }, (_, index) => newIdAt('hit', index, record));
  expect(ids.map((_, index) => newIdAt('hit', index, record))).toEqual(ids);
  expect(new Set(ids).size).toBe(1_000);
  expect(new Set([...ids, newIdAt('hit', 0, claim())]).size).toBe(1_001);
});

test('it is a UUIDv7 of the time at which the request first came', () => {
  const record = claim();
  const uuid = uuidOf(newIdAt('hit', 7, record));
  expect(uuid).toMatch(/^.{14}7.{4}[89ab]/);
  expect(uuid.slice(0, 13)).toBe(uuidOf(typeid('hit', record.newId).toString()).slice(0, 13));
});

test('without an Idempotency-Key it is a new one each time', () => {
  expect(newIdAt('hit', 0, undefined)).not.toBe(newIdAt('hit', 0, undefined));
});
