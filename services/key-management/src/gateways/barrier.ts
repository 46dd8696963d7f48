// What the answer to a narrowing change waits for: every gateway that holds a lease has applied it, or its lease is over.
//
// The change is committed before. A gateway that gets its first lease later remembers nothing from before, and what it asks
// from then on is answered from the committed row, so only those that hold a lease right after the commit matter. Most answer
// within a millisecond. One that stays silent though its lease goes on (it no longer hears, but still renews) has its lease
// called in, so that the wait is bounded: by a third of a lease and a whole one.
//
// Real time, not the service's clock: a lease is about processes and cables, not about the dates of keys.
import { setImmediate as afterInput, setTimeout as delay } from 'node:timers/promises';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import { metrics } from '@opentelemetry/api';
import { applyKeyChangeSubject, KeyChangeAppliedSchema, KeyChangedSchema, type KeyChanged } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import type { Logger } from '@na/service-host';
import type { GatewayLeases } from './gateway-leases.js';

/** A question or an answer may get lost: core NATS keeps nothing. */
const askAgainMs = 200;

const waits = metrics.getMeter('key-management').createHistogram('keys.gateway_wait', {
  unit: 'ms',
  description: 'How long changes waited until every gateway went by them.',
});

export class GatewayBarrier {
  constructor(
    private readonly connection: NatsConnection,
    private readonly leases: Pick<GatewayLeases, 'leaseMs' | 'holders' | 'callIn'>,
    private readonly logger: Logger,
  ) {}

  /** @throws ServiceError `unavailable` when it can't be made sure of: the change is made, and to repeat it waits again */
  async pass(change: KeyChanged): Promise<void> {
    const startedAt = performance.now();
    try {
      const holders = await this.leases.holders();
      if (holders.length > 0) await this.ask(change, new Set(holders));
    } catch (error) {
      throw new ServiceError('unavailable', 'The change is made, but maybe not known everywhere. Repeat it to make sure.', { cause: error });
    }
    waits.record(performance.now() - startedAt);
  }

  private async ask(change: KeyChanged, silent: Set<string>): Promise<void> {
    const allAnswered = new AbortController();
    const inbox = createInbox();
    const answers = this.connection.subscribe(inbox, {
      callback: (error, message) => {
        // Where nobody listens the server says so, with an empty message: of no gateway.
        if (!error) silent.delete(fromBinary(KeyChangeAppliedSchema, message.data).gatewayId);
        if (silent.size === 0) allAnswered.abort();
      },
    });
    const body = toBinary(KeyChangedSchema, change);
    const askOnce = () => this.connection.publish(applyKeyChangeSubject, body, { reply: inbox });
    const askFor = (ms: number) => askUntil(allAnswered.signal, ms, askOnce);
    try {
      await askFor(this.leases.leaseMs / 3);
      if (silent.size > 0) await this.outlast(silent, change, askFor);
    } finally {
      answers.unsubscribe();
    }
  }

  private async outlast(silent: Set<string>, { workspaceId, keyId }: KeyChanged, askFor: (ms: number) => Promise<void>): Promise<void> {
    const running = await this.leases.callIn([...silent]);
    if (running.length === 0) return;
    this.logger.warn({ workspace_id: workspaceId, key_id: keyId, leases: running }, 'gateways are silent: their leases run out');
    await askFor(Math.max(...running.map(({ remainingMs }) => remainingMs)));
  }
}

/** Until all have answered, or for `ms` milliseconds. */
async function askUntil(allAnswered: AbortSignal, ms: number, ask: () => void): Promise<void> {
  const until = performance.now() + ms;
  for (let left = ms; left > 0 && !allAnswered.aborted; left = until - performance.now()) {
    ask();
    await delay(Math.min(askAgainMs, left), undefined, { signal: allAnswered }).catch(() => undefined);
  }
  // When this process was too busy to read answers that are there, its timers come before them.
  await afterInput();
}
