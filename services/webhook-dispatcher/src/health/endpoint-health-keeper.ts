// What the recorder needs of endpoint health: outcomes applied inside its transaction, and told to others after the commit.
import type { Clock, Logger } from '@na/service-host';
import type { EntityManager } from 'typeorm';
import type { HealthPolicy } from './endpoint-health.js';
import { reportSignals } from './health-report.js';
import { applyOutcomes, type EndpointOutcome, type EndpointSignal } from './health-store.js';

export class EndpointHealthKeeper {
  constructor(
    private readonly policy: HealthPolicy,
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** Called with what has been committed, when that is anything. */
    private readonly onSignals: (signals: EndpointSignal[]) => void,
  ) {}

  apply(tx: EntityManager, byEndpoint: Map<string, EndpointOutcome[]>): Promise<EndpointSignal[]> {
    return applyOutcomes(tx, byEndpoint, this.clock.now(), this.policy);
  }

  committed(signals: EndpointSignal[]): void {
    if (signals.length === 0) return;
    reportSignals(signals, this.logger);
    this.onSignals(signals);
  }
}
