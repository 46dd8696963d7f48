import { expect, test } from '@jest/globals';
import type { ServiceError } from '@na/service-error';
import { canonicalIps, checkAdded, checkGrant, checkHeld, type Grant, type Maker, type Switched } from './key-grant.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const standard = { limit: 600, windowSeconds: 60 };
const rate = (rateLimit: number, rateWindowSeconds: number) => ({ rateLimit, rateWindowSeconds });

function key(overrides: Partial<Grant & Switched> = {}): Grant & Switched {
  const unlimited = { expiresAt: null, notBefore: null, allowedIps: [], rateLimit: null, rateWindowSeconds: null, disabledAt: null };
  return { scopes: ['pages:read'], ...unlimited, ...overrides };
}

function refusalOf(check: () => void) {
  try {
    check();
    return null;
  } catch (error) {
    const { code, fields } = error as ServiceError;
    return [code, ...fields.map((field) => `${field.pointer} ${field.code}`)];
  }
}

const faults = (grant: Partial<Grant>, changed = Object.keys(grant)) => refusalOf(() => checkGrant(key(grant), changed, now));
const beyond = (wanted: Partial<Grant>, maker: Maker) => refusalOf(() => checkHeld(key(wanted), maker, standard));
const added = (before: Partial<Grant & Switched>, after: Partial<Grant & Switched>, maker: Maker) =>
  refusalOf(() => checkAdded(key(before), key({ ...before, ...after }), maker, standard));

test('a key has at least one scope, and only scopes that exist', () => {
  expect(faults({ scopes: [] })).toEqual(['invalid_request', '/scopes required']);
  expect(faults({ scopes: ['pages:read', 'pages:*'] })).toEqual(['invalid_request', '/scopes/1 unknown_scope']);
  expect(faults({ scopes: ['keys:write', 'workspaces:write', 'track:write'] })).toBeNull();
});

test('a key ends in the future and after its start', () => {
  expect(faults({ expiresAt: at(0) })).toEqual(['invalid_request', '/expires_at not_in_future']);
  expect(faults({ expiresAt: at(1) })).toBeNull();
  expect(faults({ expiresAt: at(5), notBefore: at(5) }, ['notBefore'])).toEqual(['invalid_request', '/not_before too_late']);
  expect(faults({ expiresAt: at(5), notBefore: at(5) }, ['expiresAt'])).toEqual(['invalid_request', '/expires_at too_early']);
  expect(faults({ expiresAt: at(5), notBefore: at(4) })).toBeNull();
});

test('limits have bounds, and every fault is named at once', () => {
  expect(faults(rate(100_000, 3_600))).toBeNull();
  expect(faults({ scopes: [], ...rate(100_001, 0) })).toEqual([
    'invalid_request',
    '/scopes required',
    '/rate_limit/limit out_of_range',
    '/rate_limit/window_seconds out_of_range',
  ]);
});

test('what does not change is not judged again', () => {
  expect(faults({ expiresAt: at(-1) }, ['name'])).toBeNull();
});

test('addresses become canonical, each once, and each that is none is pointed at', () => {
  expect(canonicalIps(['10.1.2.3/8', '10.0.0.0/8', '2001:DB8::1'])).toEqual(['10.0.0.0/8', '2001:db8::1']);
  const refusal = refusalOf(() => canonicalIps(['10.0.0.1', 'here', '10.0.0.0/33']));
  expect(refusal).toEqual(['invalid_request', '/allowed_ips/1 invalid_format', '/allowed_ips/2 invalid_format']);
  const many = (count: number) => Array.from({ length: count }, (_, index) => `10.0.0.${index}`);
  expect(canonicalIps(many(50))).toHaveLength(50);
  expect(refusalOf(() => canonicalIps(many(51)))).toEqual(['invalid_request', '/allowed_ips too_many']);
});

test.each<[string, Partial<Grant>, Partial<Grant>, string[] | null]>([
  ['as much as its maker', { expiresAt: at(9) }, { expiresAt: at(9) }, null],
  ['more scopes', { scopes: ['pages:read', 'pages:write'] }, {}, ['insufficient_scope', '/scopes/1 scope_not_held']],
  ['a longer life', { expiresAt: at(10) }, { expiresAt: at(9) }, ['invalid_request', '/expires_at too_late']],
  ['no end', {}, { expiresAt: at(9) }, ['invalid_request', '/expires_at too_late']],
  ['some of its addresses', { allowedIps: ['10.1.0.0/16'] }, { allowedIps: ['192.0.2.1', '10.0.0.0/8'] }, null],
  ['other addresses', { allowedIps: ['10.1.0.0/16', '8.8.8.8'] }, { allowedIps: ['10.0.0.0/8'] }, ['invalid_request', '/allowed_ips/1 address_not_held']],
  ['all addresses', {}, { allowedIps: ['10.0.0.0/8'] }, ['invalid_request', '/allowed_ips required']],
  ['a lower limit', rate(10, 60), rate(20, 60), null],
  ['a higher limit', rate(21, 60), rate(20, 60), ['invalid_request', '/rate_limit too_high']],
  ['the same in the long run, but in larger bursts', rate(1_200, 3_600), rate(20, 60), ['invalid_request', '/rate_limit too_high']],
  ['the same burst more often', rate(20, 59), rate(20, 60), ['invalid_request', '/rate_limit too_high']],
  ['the installation\'s limit', {}, rate(20, 60), ['invalid_request', '/rate_limit too_high']],
  ['more than the installation\'s limit', rate(601, 60), {}, ['invalid_request', '/rate_limit too_high']],
])('of a maker a key gets %s', (_what, wanted, maker, refusal) => {
  expect(beyond(wanted, key(maker))).toEqual(refusal);
  expect(beyond(wanted, 'operator')).toBeNull();
});

const wide: Partial<Grant> = { scopes: ['pages:read', 'goals:write'] };

test.each<[string, Partial<Grant & Switched>, Partial<Grant & Switched>, string[] | null]>([
  ['take a scope away', wide, { scopes: ['goals:write'] }, null],
  ['add a scope it has', { scopes: ['pages:read'] }, { scopes: ['pages:read', 'goals:read'] }, null],
  ['add a scope it has to what may do more', { scopes: ['goals:write'] }, { scopes: ['goals:write', 'pages:read'] }, ['insufficient_scope', '/scopes/0 scope_not_held']],
  ['add a scope it has to what lives longer', { expiresAt: at(10) }, { scopes: ['pages:read', 'goals:read'] }, ['invalid_request', '/expires_at too_late']],
  ['add a scope it has to what may be used from elsewhere', { allowedIps: [] }, { scopes: ['pages:read', 'goals:read'] }, ['invalid_request', '/allowed_ips required']],
  ['add a scope it lacks', {}, wide, ['insufficient_scope', '/scopes/1 scope_not_held']],
  ['shorten a life', wide, { expiresAt: at(1) }, null],
  ['switch off', wide, { disabledAt: at(0) }, null],
  ['switch on what may do more', { ...wide, disabledAt: at(-1) }, { disabledAt: null }, ['insufficient_scope', '/scopes/1 scope_not_held']],
  ['switch on what may do less', { disabledAt: at(-1) }, { disabledAt: null }, null],
  ['give more time to what may do more', { ...wide, expiresAt: at(-1) }, { expiresAt: at(5) }, ['insufficient_scope', '/scopes/1 scope_not_held']],
  ['give more time to what may do less', { expiresAt: at(-1) }, { expiresAt: at(5) }, null],
  ['let start earlier what may do more', { ...wide, notBefore: at(9) }, { notBefore: null }, ['insufficient_scope', '/scopes/1 scope_not_held']],
  ['narrow the addresses', wide, { allowedIps: ['8.8.8.8'] }, null],
  ['add addresses that are its own', { allowedIps: ['10.0.0.2'] }, { allowedIps: ['10.0.0.2', '10.0.0.1'] }, null],
  ['add addresses to what may do more', { ...wide, allowedIps: ['10.0.0.2'] }, { allowedIps: ['10.0.0.2', '10.0.0.1'] }, ['insufficient_scope', '/scopes/1 scope_not_held']],
  ['add addresses that are not', { allowedIps: ['10.0.0.2'] }, { allowedIps: ['10.0.0.2', '9.9.9.9'] }, ['invalid_request', '/allowed_ips/1 address_not_held']],
  ['lift the addresses', { allowedIps: ['8.8.8.8'] }, { allowedIps: [] }, ['invalid_request', '/allowed_ips required']],
  ['lower a limit that is above its own', { ...wide, ...rate(90, 60) }, rate(80, 60), null],
  ['raise a limit above its own', rate(5, 60), rate(21, 60), ['invalid_request', '/rate_limit too_high']],
])('a key may %s, if it could have made what comes of it', (what, before, after, refusal) => {
  const maker = key({ scopes: ['pages:read', 'goals:read'], allowedIps: ['10.0.0.0/8'], expiresAt: at(9), ...rate(20, 60) });
  // What adds something is judged whole: then the rest is the maker's own.
  const rest = /switch on|more time|start earlier|^add|^lift|^raise/.test(what) ? { allowedIps: ['10.0.0.0/8'], ...rate(20, 60), expiresAt: at(9) } : {};
  expect(added({ ...rest, ...before }, after, maker)).toEqual(refusal);
  expect(added(before, after, 'operator')).toBeNull();
});
