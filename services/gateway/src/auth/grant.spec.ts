import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from '@jest/globals';
import { KeyChangedSchema, VerdictSchema } from '@na/contracts';
import { allowsAddress, grantOf, isVoidedBy } from './grant.js';

const digest = Buffer.alloc(32, 7);
const verdict = create(VerdictSchema, { keyId: 'key_1', workspaceId: 'ws_1', version: 3, workspaceVersion: 5 });
const grant = (fields: object) => grantOf(create(VerdictSchema, { ...verdict, ...fields }), digest);
const change = (fields: object) => create(KeyChangedSchema, { keyId: 'key_1', workspaceId: 'ws_1', version: 4, ...fields });

test('a grant ends with the key or with the secret, whichever is first, or never', () => {
  expect(grant({}).endsAtMs).toBe(Infinity);
  expect(grant({ expiresAt: timestampFromMs(2_000) }).endsAtMs).toBe(2_000);
  expect(grant({ expiresAt: timestampFromMs(2_000), secretExpiresAt: timestampFromMs(1_000) }).endsAtMs).toBe(1_000);
  expect(grant({ expiresAt: timestampFromMs(2_000), secretExpiresAt: timestampFromMs(3_000) }).endsAtMs).toBe(2_000);
});

test('without a list a key is good from everywhere, with one from what it names', () => {
  expect(allowsAddress(grant({}), '192.0.2.1')).toBe(true);
  const listed = grant({ allowedIps: ['192.0.2.0/31', '2001:db8::7'] });
  const allowed = ['192.0.2.0', '192.0.2.1', '::ffff:192.0.2.1', '2001:db8:0:0::7'];
  const refused = ['192.0.2.2', '::ffff:192.0.2.2', '2001:db8::8', 'unknown', ''];
  expect(allowed.filter((address) => !allowsAddress(listed, address))).toEqual([]);
  expect(refused.filter((address) => allowsAddress(listed, address))).toEqual([]);
});

test('a range of one family allows no address of the other, however it is written', () => {
  const ipv6 = grant({ allowedIps: ['::/0'] });
  expect(['198.51.100.7', '::ffff:198.51.100.7', '::ffff:c633:6407', '2001:db8::1'].map((address) => allowsAddress(ipv6, address))).toEqual([false, false, false, true]);
  const ipv4 = grant({ allowedIps: ['0.0.0.0/0'] });
  expect(['198.51.100.7', '::ffff:198.51.100.7', '::ffff:c633:6407', '2001:db8::1'].map((address) => allowsAddress(ipv4, address))).toEqual([true, true, true, false]);
});

test('a change voids verdicts of a lower version of its key, and of no other', () => {
  expect(isVoidedBy(verdict, change({}))).toBe(true);
  expect(isVoidedBy(verdict, change({ version: 3 }))).toBe(false);
  expect(isVoidedBy(verdict, change({ keyId: 'key_2' }))).toBe(false);
});

test('a change of a workspace voids verdicts of a lower version of the workspace, and of no other', () => {
  expect(isVoidedBy(verdict, change({ keyId: '', version: 6 }))).toBe(true);
  expect(isVoidedBy(verdict, change({ keyId: '', version: 5 }))).toBe(false);
  expect(isVoidedBy(verdict, change({ keyId: '', workspaceId: 'ws_2', version: 6 }))).toBe(false);
});
