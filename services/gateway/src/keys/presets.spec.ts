import { expect, test } from '@jest/globals';
import { scopesOf } from './presets.js';

const readOnly = ['workspaces:read', 'pages:read', 'reports:read', 'funnels:read', 'goals:read', 'exports:read', 'insights:read', 'webhooks:read'];

test('read_only is every read scope but that of keys', () => {
  expect(scopesOf('read_only')).toEqual(readOnly);
});

test('read_write adds every write scope but those of keys and workspaces', () => {
  const writes = ['pages:write', 'reports:write', 'funnels:write', 'goals:write', 'exports:write', 'insights:write', 'webhooks:write', 'track:write'];
  expect(scopesOf('read_write').sort()).toEqual([...readOnly, ...writes].sort());
});
