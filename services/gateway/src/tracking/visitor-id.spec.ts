import { expect, test } from '@jest/globals';
import { derivedVisitorId, type VisitorTraits } from './visitor-id.js';

const key = Buffer.alloc(32, 1);
const noon = new Date('2026-03-01T12:00:00Z');
const traits: VisitorTraits = { workspaceId: 'ws_1', address: '192.0.2.1', userAgent: 'Mozilla/5.0' };
const same = derivedVisitorId(traits, noon, key);

test('a visitor is the same for the whole UTC day', () => {
  expect(derivedVisitorId(traits, new Date('2026-03-01T00:00:00.000Z'), key)).toBe(same);
  expect(derivedVisitorId(traits, new Date('2026-03-01T23:59:59.999Z'), key)).toBe(same);
});

test('another day, workspace, address, user agent or key makes another visitor', () => {
  expect(derivedVisitorId(traits, new Date('2026-03-02T00:00:00Z'), key)).not.toBe(same);
  expect(derivedVisitorId({ ...traits, workspaceId: 'ws_2' }, noon, key)).not.toBe(same);
  expect(derivedVisitorId({ ...traits, address: '192.0.2.2' }, noon, key)).not.toBe(same);
  expect(derivedVisitorId({ ...traits, userAgent: 'curl/8' }, noon, key)).not.toBe(same);
  expect(derivedVisitorId(traits, noon, Buffer.alloc(32, 2))).not.toBe(same);
});

test('what looks alike when written together is not the same visitor', () => {
  const shifted = derivedVisitorId({ ...traits, address: '192.0.2.1M', userAgent: 'ozilla/5.0' }, noon, key);
  expect(shifted).not.toBe(same);
});
