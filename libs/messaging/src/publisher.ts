// Publishes to JetStream and answers only when the message is stored. A publish whose acknowledgement got lost is
// repeated under the same message id, and the stream drops the repeat.
import { JetStreamApiError } from '@nats-io/jetstream';
import { errors, type MsgHdrs } from '@nats-io/transport-node';
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
  headers?: Record<string, string>;
}

const ackTimeoutMs = 2_000;
const pauseBetweenTriesMs = 100;

/** Longest a caller is kept waiting while the bus is away, such as during a restart of nats-server. */
const giveUpAfterMs = 10_000;

export class Publisher {
  constructor(private readonly bus: Bus) {}

  /**
   * @throws ServiceError `unavailable` when the bus did not confirm within 10 s: the message may or may not be stored;
   * `payload_too_large` or `internal` at once when the bus refuses it and always will
   */
  async publish(publication: Publication): Promise<void> {
    const { subject, trace } = publication;
    const stream = subject.split('.').slice(0, 3).join('.');
    await inSpan(
      { name: `publish ${stream}`, kind: SpanKind.PRODUCER, attributes: { 'messaging.system': 'nats', 'messaging.destination.name': subject }, parent: trace },
      () => this.publishUntilStored(publication),
    );
  }

  private async publishUntilStored({ subject, body, id, headers }: Publication): Promise<void> {
    const giveUpAt = performance.now() + giveUpAfterMs;
    for (;;) {
      try {
        await this.bus.js.publish(subject, body, { msgID: id, headers: withTrace(headers), timeout: ackTimeoutMs });
        return;
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal) throw refusal;
        if (performance.now() > giveUpAt || this.bus.connection.isClosed()) {
          throw new ServiceError('unavailable', 'The event bus did not confirm the message. Try again.', { cause: error });
        }
        await delay(pauseBetweenTriesMs);
      }
    }
  }
}

/** The active trace wins over one among the headers: that one is of who sent the message before. */
function withTrace(headers: Record<string, string> = {}): MsgHdrs {
  const all = traceHeaders();
  for (const [name, value] of Object.entries(headers)) if (!all.has(name)) all.set(name, value);
  return all;
}

/** What no repetition mends. A missing stream is not among it: nothing answers either while a server still reads its streams. */
function refusalOf(error: unknown): ServiceError | undefined {
  if (error instanceof errors.InvalidArgumentError && error.message.includes('max_payload')) {
    return new ServiceError('payload_too_large', 'The message is larger than the event bus takes.', { cause: error });
  }
  const isRefused = error instanceof JetStreamApiError ? error.status >= 400 && error.status < 500 : isMalformed(error);
  return isRefused ? new ServiceError('internal', 'The event bus refuses the message.', { cause: error }) : undefined;
}

function isMalformed(error: unknown): boolean {
  return error instanceof errors.InvalidArgumentError || error instanceof errors.InvalidSubjectError;
}
