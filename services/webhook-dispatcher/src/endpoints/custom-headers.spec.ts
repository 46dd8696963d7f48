import { expect, test } from '@jest/globals';
import { maskHeaders, withLowerCaseNames } from './custom-headers.js';

test('headers are kept by lower-case names', () => {
  expect(withLowerCaseNames({ 'X-A': '1' })).toEqual({ 'x-a': '1' });
});

test('what looks like a credential is shown masked', () => {
  const shown = maskHeaders({ authorization: 'Bearer x', 'x-api-key': 'x', 'x-auth-token': 'x', 'x-client-secret': 'x', 'x-team': 'web' });
  expect(shown).toEqual({ authorization: '•••', 'x-api-key': '•••', 'x-auth-token': '•••', 'x-client-secret': '•••', 'x-team': 'web' });
});
