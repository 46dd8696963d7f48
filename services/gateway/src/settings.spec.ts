import { expect, test } from '@jest/globals';
import { ConfigError, loadConfig } from '@na/service-host';
import { settings } from './settings.js';

const databaseUrl = 'postgres://na_gateway:secret@localhost/na';
const good = { DATABASE_URL: databaseUrl, OPERATOR_TOKEN: 'x'.repeat(32), CURSOR_KEY: Buffer.alloc(32, 1).toString('base64') };

test('a database, a token and a key are all that must be set', () => {
  expect(loadConfig(settings, good)).toEqual({
    databaseUrl,
    databasePoolSize: 10,
    port: 3000,
    host: '0.0.0.0',
    publicUrl: undefined,
    operatorToken: good.OPERATOR_TOKEN,
    cursorKey: Buffer.alloc(32, 1),
    trustedProxies: [],
    rateLimit: 600,
    rateLimitWindowSeconds: 60,
    failedCredentialsPerMinute: 30,
  });
});

test('what is given is read: addresses without their last slash, proxies one by one', () => {
  const env = { ...good, PORT: '0', PUBLIC_URL: 'https://api.example.com/', TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.1' };
  expect(loadConfig(settings, env)).toMatchObject({ port: 0, publicUrl: 'https://api.example.com', trustedProxies: ['10.0.0.0/8', '192.0.2.1'] });
});

test('weak secrets keep the gateway from starting, and are not shown', () => {
  const weak = { ...good, OPERATOR_TOKEN: 'hunter2', CURSOR_KEY: 'c2hvcnQ=' };
  const load = () => loadConfig(settings, weak);
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(/OPERATOR_TOKEN: must have at least 32 characters[^]*CURSOR_KEY: must be at least 32 bytes/);
  expect(load).not.toThrow(/hunter2|c2hvcnQ/);
});
