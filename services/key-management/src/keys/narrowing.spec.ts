import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isWithin } from './address-ranges.js';
import { keyStatus } from './key-status.js';
import { isNarrower, type Judged } from './narrowing.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const standard = { limit: 600, windowSeconds: 60 };
const key: Judged = {
  scopes: ['pages:read', 'goals:read'],
  expiresAt: at(100),
  notBefore: at(50),
  disabledAt: null,
  revokedAt: null,
  allowedIps: ['10.0.0.0/8'],
  rateLimit: null,
  rateWindowSeconds: null,
  secretMac: Buffer.from('one'),
};

test.each<[string, Partial<Judged>, boolean]>([
  ['nothing', {}, false],
  ['a revocation', { revokedAt: at(0) }, true],
  ['switching off', { disabledAt: at(0) }, true],
  ['a scope less', { scopes: ['pages:read'] }, true],
  ['a scope more', { scopes: ['goals:read', 'pages:read', 'track:write'] }, false],
  ['an earlier end', { expiresAt: at(99) }, true],
  ['a later end', { expiresAt: at(101) }, false],
  ['no end', { expiresAt: null }, false],
  ['a later start', { notBefore: at(51) }, true],
  ['no start', { notBefore: null }, false],
  ['fewer addresses', { allowedIps: ['10.0.0.0/9'] }, true],
  ['more addresses', { allowedIps: ['10.0.0.0/8', '8.8.8.8'] }, false],
  ['all addresses', { allowedIps: [] }, false],
  ['a limit below the installation\'s', { rateLimit: 599, rateWindowSeconds: 60 }, true],
  ['the installation\'s limit by name', { rateLimit: 600, rateWindowSeconds: 60 }, false],
  ['another secret', { secretMac: Buffer.from('two') }, true],
])('only a change that may refuse something is narrower: %s', (_what, change, narrower) => {
  expect(isNarrower(key, { ...key, ...change }, standard)).toBe(narrower);
});

test('switching a key on again is not narrower', () => {
  expect(isNarrower({ ...key, disabledAt: at(-1) }, key, standard)).toBe(false);
});

const time = fc.option(fc.integer({ min: 0, max: 4 }).map(at));
const anyKey: fc.Arbitrary<Judged> = fc
  .record({
    scopes: fc.subarray(['pages:read', 'goals:read', 'track:write']),
    expiresAt: time,
    notBefore: time,
    disabledAt: time,
    revokedAt: time,
    allowedIps: fc.subarray(['10.0.0.0/8', '10.1.0.0/16', '10.1.1.1', '2001:db8::/32']),
    rate: fc.option(fc.record({ rateLimit: fc.integer({ min: 1, max: 3 }), rateWindowSeconds: fc.integer({ min: 1, max: 3 }) })),
    secretMac: fc.constantFrom('one', 'two').map((text) => Buffer.from(text)),
  })
  .map(({ rate, ...rest }) => ({ ...rest, ...(rate ?? { rateLimit: null, rateWindowSeconds: null }) }));

const anyRequest = fc.record({
  at: fc.integer({ min: 0, max: 5 }).map(at),
  scope: fc.constantFrom('pages:read', 'goals:read', 'track:write'),
  address: fc.constantFrom('10.1.1.1', '10.1.2.2', '10.2.0.1', '192.0.2.1', '2001:db8::9'),
  secret: fc.constantFrom('one', 'two'),
});

function lets(judged: Judged, request: { at: Date; scope: string; address: string; secret: string }): boolean {
  return (
    keyStatus(judged, { suspendedAt: null }, request.at) === 'valid' &&
    judged.scopes.includes(request.scope) &&
    (judged.allowedIps.length === 0 || isWithin(request.address, judged.allowedIps)) &&
    judged.secretMac.toString() === request.secret
  );
}

test('a change that refuses any request that was let in is narrower', () => {
  fc.assert(
    fc.property(anyKey, anyKey, anyRequest, (before, after, request) => {
      if (lets(before, request) && !lets(after, request)) expect(isNarrower(before, after, standard)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
