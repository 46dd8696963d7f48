import { expect, test } from '@jest/globals';
import { loadConfig } from '@na/service-host';
import { settings } from '../settings.js';
import { proxyUrl } from './proxy-url.js';

const { webhookEgressProxyUrl } = settings;
const faultOf = (text: string) => {
  try {
    return JSON.stringify(loadConfig({ webhookEgressProxyUrl }, { WEBHOOK_EGRESS_PROXY_URL: text }));
  } catch (error) {
    return (error as Error).message;
  }
};

test('no proxy is set unless one is named', () => {
  expect(loadConfig({ webhookEgressProxyUrl }, {})).toEqual({ webhookEgressProxyUrl: undefined });
});

test.each([
  ['http://proxy.internal:3128', { isSecure: false, hostname: 'proxy.internal', port: 3128, authorization: undefined }],
  ['https://proxy.internal', { isSecure: true, hostname: 'proxy.internal', port: 443, authorization: undefined }],
  ['http://[fd00::1]', { isSecure: false, hostname: 'fd00::1', port: 80, authorization: undefined }],
  ['http://dispatcher:p%40ss@proxy.internal:3128/', { isSecure: false, hostname: 'proxy.internal', port: 3128, authorization: 'Basic ZGlzcGF0Y2hlcjpwQHNz' }],
  ['http://token@proxy.internal:3128', { isSecure: false, hostname: 'proxy.internal', port: 3128, authorization: 'Basic dG9rZW46' }],
])('%s is understood', (text, proxy) => {
  expect(proxyUrl.parse(text)).toEqual(proxy);
});

test.each([
  ['proxy.internal:3128', 'must start with http'],
  ['socks5://user:hunter2@proxy.internal', 'must start with http'],
  ['http://user:hunter2@proxy.internal:3128/path', 'must end after the port'],
  ['http://user:hunter2%zz@proxy.internal', 'percent-encoded'],
  ['http://user:hunter2@proxy.internal:99999', 'must be http://host:port'],
])('a fault of %s is explained without its password', (text, explanation) => {
  expect(faultOf(text)).toContain(explanation);
  expect(faultOf(text)).not.toContain('hunter2');
});
