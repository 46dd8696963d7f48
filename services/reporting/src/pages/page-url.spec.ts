import { expect, test } from '@jest/globals';
import { normalisePageUrl } from './page-url.js';

const page = 'https://acme.notion.site/Handbook-1a2b';

test.each([
  ['scheme and host in capitals', 'HTTPS://Acme.Notion.Site/Handbook-1a2b'],
  ['a default port', 'https://acme.notion.site:443/Handbook-1a2b'],
  ['a fragment', `${page}#section`],
  ['trailing slashes', `${page}//`],
  ['campaign and click parameters', `${page}?utm_source=x&UTM_Medium=y&gclid=1&pvs=4`],
  ['an empty query', `${page}?`],
  ['spaces around it', `  ${page}\n`],
])('a URL with %s is the same page', (_variant, url) => {
  expect(normalisePageUrl(url)).toBe(page);
});

test('the case of the path tells pages apart, for Notion serves them apart', () => {
  expect(normalisePageUrl('https://acme.notion.site/handbook-1A2B')).not.toBe(page);
});

test('parameters that select what is shown are kept, in one order', () => {
  expect(normalisePageUrl('https://a.site/x?v=2&p=1')).toBe('https://a.site/x?p=1&v=2');
  expect(normalisePageUrl('https://a.site/x?p=1&v=2')).toBe('https://a.site/x?p=1&v=2');
});

test('the root of a site keeps its only slash', () => {
  expect(normalisePageUrl('https://A.site')).toBe('https://a.site/');
});

test('a normalised URL stays as it is when normalised again', () => {
  const once = normalisePageUrl('https://A.site/x/?b=1&a=%20y&utm_source=z#f')!;
  expect(normalisePageUrl(once)).toBe(once);
});

const tooLong = `https://a.site/${'x'.repeat(2_048)}`;
const tooLongEscaped = `https://a.site/${'漢'.repeat(2_000)}`;

test.each(['', 'acme.notion.site/x', '/x', 'javascript:alert(1)', 'ftp://a.site/x', 'https://user:pw@a.site/', tooLong, tooLongEscaped])(
  '%j is not a page URL',
  (url) => {
    expect(normalisePageUrl(url)).toBeUndefined();
  },
);
