import { expect, test } from '@jest/globals';
import { metricsPort } from './services.ts';

const ports = (env: NodeJS.ProcessEnv) => [0, 3].map((index) => metricsPort(env, index).OTEL_EXPORTER_PROMETHEUS_PORT);

test('services that show their metrics on one machine have a port each, beginning with the one that is set', () => {
  expect(ports({ OTEL_METRICS_EXPORTER: 'prometheus' })).toEqual(['9464', '9467']);
  expect(ports({ OTEL_METRICS_EXPORTER: 'otlp, prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: '19464' })).toEqual(['19464', '19467']);
});

test('where nothing is shown no port is chosen', () => {
  expect(ports({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_PROMETHEUS_PORT: '19464' })).toEqual([undefined, undefined]);
  expect(ports({})).toEqual([undefined, undefined]);
});
