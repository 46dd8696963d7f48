import { expect, test } from '@jest/globals';
import { pathOf, targetOf } from './target.js';

test.each([
  ['/api/v1/pages', '/api/v1/pages', '/api/v1/pages'],
  ['/api/v1/pages?', '/api/v1/pages?', '/api/v1/pages'],
  ['/api/v1/pages?url=http://a/b', '/api/v1/pages?url=http://a/b', '/api/v1/pages'],
  ['/api/v1/pages#a?b', '/api/v1/pages#a?b', '/api/v1/pages'],
  ['http://evil.example/api/v1/pages?limit=1', '/api/v1/pages?limit=1', '/api/v1/pages'],
  ['HTTPS://user@evil.example:8443/api', '/api', '/api'],
  ['http://evil.example', '/', '/'],
  ['http://evil.example?a=/b', '/?a=/b', '/'],
  ['//evil.example/api', '//evil.example/api', '//evil.example/api'],
  ['*', '*', '*'],
])('of %s neither scheme nor host is taken', (url, target, path) => {
  expect([targetOf({ url }), pathOf({ url })]).toEqual([target, path]);
});
