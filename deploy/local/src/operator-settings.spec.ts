import { expect, test } from '@jest/globals';
import { withOperatorSettings } from './operator-settings.ts';
import type { ServiceSpec } from './services.ts';

const names = {
  gateway: ['NATS_URL', 'DATABASE_URL', 'PORT', 'RATE_LIMIT'],
  'key-management': ['NATS_URL', 'DATABASE_URL', 'RATE_LIMIT'],
  reporting: ['NATS_URL', 'DATABASE_URL', 'HIT_BATCH_SIZE'],
  'webhook-dispatcher': ['NATS_URL', 'DATABASE_URL', 'WEBHOOK_ALLOWED_CIDRS', 'WEBHOOK_MAX_IN_FLIGHT'],
};

const spec = (name: ServiceSpec['name'], env: NodeJS.ProcessEnv): ServiceSpec => ({ name, program: 'main.js', nodeOptions: [], env });
const environment = { RATE_LIMIT: '5', WEBHOOK_MAX_IN_FLIGHT: '7', NATS_URL: 'nats://elsewhere', DATABASE_URL: 'postgres://admin@elsewhere', PORT: '80', AWS_SECRET_ACCESS_KEY: 'x' };

test('a service gets its own settings, and nothing else of the environment', () => {
  expect(withOperatorSettings(spec('webhook-dispatcher', {}), names, { WEBHOOK_MAX_IN_FLIGHT: '7', RATE_LIMIT: '5', AWS_SECRET_ACCESS_KEY: 'x' }).env).toEqual({ WEBHOOK_MAX_IN_FLIGHT: '7' });
  expect(withOperatorSettings(spec('reporting', {}), names, { WEBHOOK_MAX_IN_FLIGHT: '7' }).env).toEqual({});
});

test('what the launcher has chosen stays', () => {
  const chosen = { NATS_URL: 'nats://own', DATABASE_URL: 'postgres://own', PORT: '3000' };
  expect(withOperatorSettings(spec('gateway', chosen), names, environment).env).toEqual({ ...chosen, RATE_LIMIT: '5' });
});

test('networks that the operator allows are allowed beside those of the launcher', () => {
  const chosen = { WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8' };
  const allowed = (env: NodeJS.ProcessEnv) => withOperatorSettings(spec('webhook-dispatcher', chosen), names, env).env.WEBHOOK_ALLOWED_CIDRS;
  expect([allowed({ WEBHOOK_ALLOWED_CIDRS: '10.1.0.0/16' }), allowed({ WEBHOOK_ALLOWED_CIDRS: '' }), allowed({})]).toEqual(['10.1.0.0/16,127.0.0.0/8', '127.0.0.0/8', '127.0.0.0/8']);
});

test('an empty text is a setting like any other', () => {
  expect(withOperatorSettings(spec('gateway', {}), names, { RATE_LIMIT: '' }).env).toEqual({ RATE_LIMIT: '' });
});
