// Publishes to JetStream and answers only when the message is stored. A publish whose acknowledgement got lost is
// repeated under the same message id, and the stream drops the repeat.
import { SpanKind, type Context } from '@opentelemetry/api';
import { ServiceError } from '@na/service-error';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from './bus.js';
import { inSpan, traceHeaders } from './trace-headers.js';

export interface Publication {
  subject: string;
  body: Uint8Array;
  /** Becomes Nats-Msg-Id: the same message always has the same id. */
  id: string;
  /** The trace to carry on; else the active one. */
  trace?: Context;
}

const ackTimeoutMs = 2_000;
const pauseBetweenTriesMs = 100;

/** Longest a caller is kept waiting while the bus is away, such as during a restart of nats-server. */
const giveUpAfterMs = 10_000;

export class Publisher {
  constructor(private readonly bus: Bus) {}

  /** @throws ServiceError `unavailable` when the bus did not confirm within 10 s; the message may or may not be stored. */
  async publish(publication: Publication): Promise<void> {
    const { subject, trace } = publication;
    const stream = subject.split('.').slice(0, 3).join('.');
    await inSpan(
      { name: `publish ${stream}`, kind: SpanKind.PRODUCER, attributes: { 'messaging.system': 'nats', 'messaging.destination.name': subject }, parent: trace },
      () => this.publishUntilStored(publication),
    );
  }

  private async publishUntilStored({ subject, body, id }: Publication): Promise<void> {
    const giveUpAt = performance.now() + giveUpAfterMs;
    for (;;) {
      try {
        await this.bus.js.publish(subject, body, { msgID: id, headers: traceHeaders(), timeout: ackTimeoutMs });
        return;
      } catch (error) {
        if (performance.now() > giveUpAt || this.bus.connection.isClosed()) {
          throw new ServiceError('unavailable', 'The event bus did not confirm the message. Try again.', { cause: error });
        }
        await delay(pauseBetweenTriesMs);
      }
    }
  }
}
