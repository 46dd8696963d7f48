import { expect, test } from '@jest/globals';
import { eventData } from '@na/contracts';
import type { HealthSignal } from './endpoint-health.js';
import { eventOf } from './health-events.js';

const at = new Date('2026-03-01T12:00:00Z');
const failure = { at, failingSince: at, failedAttempts: 20, responseCode: 500 };

const signals: HealthSignal[] = [
  { kind: 'failing', ...failure, warning: 1, disabledAtEarliest: at },
  { kind: 'disabled', ...failure, cause: 'no_success', reason: 'It failed.' },
  { kind: 'recovered', failingSince: at, failedAttempts: 20, at },
];

test.each(signals)('what other endpoints are told of one that is $kind names its server, and nothing that lets them call it', (signal) => {
  const url = 'https://user:pass@chat.example.com:8443/services/T0/s3cret?token=s3cret#s3cret';
  expect(eventData(eventOf({ id: 'we_1', workspaceId: 'ws_1', url }, signal, at))).toMatchObject({ endpoint_id: 'we_1', url: 'https://chat.example.com:8443' });
});
