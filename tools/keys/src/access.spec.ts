import { expect, test } from '@jest/globals';
import { accessFrom } from './access.js';

const token = 'the-token-of-an-installation';

test.each(['https://api.example.com', 'https://api.example.com/', 'https://api.example.com/api/v1', 'https://api.example.com/api/v1/'])(
  'NA_URL may be %s: the address of the installation, or of its API',
  (NA_URL) => {
    expect(accessFrom({ NA_URL, OPERATOR_TOKEN: token })).toEqual({ url: 'https://api.example.com', token });
  },
);

test('a path of the installation stays', () => {
  expect(accessFrom({ NA_URL: 'https://example.com/analytics/api/v1', OPERATOR_TOKEN: token }).url).toBe('https://example.com/analytics');
});

test('the token of a checkout is sent to no other address', () => {
  expect(() => accessFrom({ NA_URL: 'https://api.example.com' })).toThrow('Set OPERATOR_TOKEN');
});
