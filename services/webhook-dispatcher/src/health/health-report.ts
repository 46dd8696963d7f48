// Counts and logs what has changed in the health of endpoints. A customer's failing server is no fault of ours: `info`.
import { metrics } from '@opentelemetry/api';
import type { Logger } from '@na/service-host';
import type { EndpointSignal } from './health-store.js';

const meter = metrics.getMeter('webhook-dispatcher');

const counters = {
  failing: meter.createCounter('webhook.endpoints.warned', { description: 'Endpoints whose owners were warned that nothing succeeds.' }),
  disabled: meter.createCounter('webhook.endpoints.disabled', { description: 'Endpoints disabled because nothing succeeded or they were gone.' }),
  recovered: meter.createCounter('webhook.endpoints.recovered', { description: 'Endpoints that work again after a warning.' }),
  paused: meter.createCounter('webhook.endpoints.paused', { description: 'Pauses that endpoints have asked for with Retry-After.' }),
};

// Without a first zero the first increase of all is invisible to Prometheus' increase().
for (const counter of [counters.failing, counters.recovered, counters.paused]) counter.add(0);
for (const cause of ['gone', 'no_success']) counters.disabled.add(0, { cause });

/** Call after the commit, so that nothing is counted that was rolled back. */
export function reportSignals(signals: EndpointSignal[], logger: Logger): void {
  for (const { endpoint, signal } of signals) {
    counters[signal.kind].add(1, signal.kind === 'disabled' ? { cause: signal.cause } : {});
    logger.info({ endpoint_id: endpoint.id, workspace_id: endpoint.workspaceId, ...signal }, `the endpoint ${verbs[signal.kind]}`);
  }
}

const verbs = { failing: 'has been failing', disabled: 'is disabled', recovered: 'works again', paused: 'has asked for a pause' };
