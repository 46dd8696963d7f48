// One durable pull consumer: takes messages as they come, hands them over in batches, one batch after the other unless its
// handler takes several at once, and settles each message. Several replicas may run the same consumer.
import { fromBinary, type DescMessage } from '@bufbuild/protobuf';
import { AckPolicy, DeliverPolicy, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { context, metrics, SpanKind, trace, type Link } from '@opentelemetry/api';
import type { Host } from '@na/service-host';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from './bus.js';
import type { BatchHandler, ConsumerSpec, Received } from './consumer-spec.js';
import { deadLetterOf } from './dead-letter.js';
import { FailureCounts } from './failure-counts.js';
import type { Publisher } from './publisher.js';
import { settleFailure } from './settlement.js';
import { inSpan, traceOf } from './trace-headers.js';

/** A message not settled within this time is handed out again: how long a crash holds messages up. Work that lasts renews it. */
const ackWaitMs = 5_000;

/** A message is renewed at the latest two of these after it came. */
const renewEveryMs = ackWaitMs / 5;

const deadLetters = metrics.getMeter('messaging').createCounter('bus.dead_letters', {
  unit: '{message}',
  description: 'Messages that a consumer gave up and moved to the dead-letter stream.',
});

export class Consumer {
  private readonly waiting: JsMsg[] = [];
  /** With when each was taken, by the monotonic clock in milliseconds; oldest first. */
  private readonly unsettled = new Map<JsMsg, number>();
  private readonly failures: FailureCounts;
  private messages?: ConsumerMessages;
  private wake?: () => void;
  private stopping = false;
  private work: Promise<void> = Promise.resolve();
  private heartbeat?: NodeJS.Timeout;

  constructor(
    private readonly spec: ConsumerSpec,
    private readonly handle: BatchHandler,
    private readonly bus: Bus,
    private readonly publisher: Publisher,
    private readonly host: Host,
  ) {
    this.failures = new FailureCounts(spec.maxInFlight);
    deadLetters.add(0, { consumer: spec.durable });
  }

  async start(): Promise<void> {
    await this.ensureDurable();
    const consumer = await this.bus.js.consumers.get(this.spec.stream.name, this.spec.durable);
    this.messages = await consumer.consume({ max_messages: Math.ceil(this.spec.maxInFlight / 2), callback: (message) => this.take(message) });
    this.heartbeat = setInterval(() => this.renew(), renewEveryMs);
    this.work = this.orFail(this.run());
    void this.messages.closed().then((error) => this.fail(error));
  }

  /** A process whose consumer has ended would look well and do nothing. */
  private fail(cause: unknown): void {
    if (!this.stopping) this.host.fail(new Error(`the consumer ${this.spec.durable} has ended`, { cause }));
  }

  /**
   * For work that nobody may be waiting for. What a handler throws is settled; what goes wrong in settling would be an unhandled
   * rejection, and its messages would be renewed for as long as the process lives.
   */
  private orFail(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => this.fail(error));
  }

  /** Takes nothing more, ends what is in hand, and gives back what has not been started. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.messages?.stop();
    this.wake?.();
    await this.work;
    clearInterval(this.heartbeat);
    for (const message of this.waiting.splice(0)) message.nak();
  }

  private async ensureDurable(): Promise<void> {
    const { stream, durable, filter, maxInFlight } = this.spec;
    const changeable = { filter_subject: filter, ack_wait: ackWaitMs * 1e6, max_ack_pending: maxInFlight };
    const exists = await this.bus.manager.consumers.info(stream.name, durable).then(
      () => true,
      () => false,
    );
    if (exists) await this.bus.manager.consumers.update(stream.name, durable, changeable);
    else await this.bus.manager.consumers.add(stream.name, { ...changeable, durable_name: durable, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All });
  }

  private take(message: JsMsg): void {
    this.waiting.push(message);
    this.unsettled.set(message, performance.now());
    this.wake?.();
  }

  /** Those that have been here for as long as from one look to the next; most are settled before. */
  private renew(): void {
    const takenBefore = performance.now() - renewEveryMs;
    for (const [message, takenAt] of this.unsettled) {
      if (takenAt > takenBefore) return;
      message.working();
    }
  }

  private async run(): Promise<void> {
    const { maxBatch, maxConcurrentBatches = 1 } = this.spec;
    const inHand = new Set<Promise<void>>();
    while (!this.stopping) {
      if (this.waiting.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
      const batch = this.waiting.splice(0, maxBatch);
      if (batch.length === 0) continue;
      const work = this.orFail(this.handleBatch(batch)).finally(() => inHand.delete(work));
      inHand.add(work);
      if (inHand.size >= maxConcurrentBatches) await Promise.race(inHand);
    }
    await Promise.all(inHand);
  }

  private async handleBatch(messages: JsMsg[]): Promise<void> {
    const decoded = messages.flatMap((message) => this.decode(message) ?? []);
    if (decoded.length === 0) return;
    try {
      await this.handOver(decoded.map(({ received }) => received));
      for (const { message } of decoded) this.acknowledge(message);
    } catch (error) {
      if (decoded.length === 1) await this.settle(decoded[0]!.message, error);
      else await this.handleOneByOne(decoded);
    }
  }

  /** After a failed batch each message stands for itself, so that one that can't be handled holds up no other. */
  private async handleOneByOne(decoded: Decoded[]): Promise<void> {
    for (const { message, received } of decoded) {
      try {
        await this.handOver([received]);
        this.acknowledge(message);
      } catch (error) {
        await this.settle(message, error);
      }
    }
  }

  /** A single message carries its trace on; a batch has a span of its own, linked to the trace of each message. */
  private handOver(batch: Received[]): Promise<void> {
    const links = batch.length > 1 ? batch.flatMap(({ trace: parent }) => linkTo(parent)) : [];
    return inSpan(
      {
        name: `process ${this.spec.durable}`,
        kind: SpanKind.CONSUMER,
        attributes: { 'messaging.system': 'nats', 'messaging.batch.message_count': batch.length },
        parent: batch.length === 1 ? batch[0]!.trace : context.active(),
        links,
      },
      () => this.handle(batch),
    );
  }

  private decode(message: JsMsg): Decoded | undefined {
    const { message: schema } = this.spec;
    try {
      return {
        message,
        received: {
          message: fromBinary<DescMessage>(schema, message.data),
          subject: message.subject,
          sequence: message.seq,
          tries: message.info.deliveryCount,
          trace: traceOf(message.headers),
        },
      };
    } catch (error) {
      void this.orFail(this.deadLetter(message, error));
      return undefined;
    }
  }

  private acknowledge(message: JsMsg): void {
    message.ack();
    this.forget(message);
  }

  private forget(message: JsMsg): void {
    this.unsettled.delete(message);
    this.failures.forget(message.seq);
  }

  private async settle(message: JsMsg, error: unknown): Promise<void> {
    const failures = this.failures.add(message.seq, error);
    const settlement = settleFailure(error, failures, this.spec.maxTries);
    this.host.logger.warn({ err: error, durable: this.spec.durable, subject: message.subject, failures, ...settlement }, 'a message could not be handled');
    if (settlement.kind === 'dead-letter') return this.deadLetter(message, error);
    message.nak(settlement.delayMs);
    this.unsettled.delete(message);
  }

  /** Keeps trying: a message leaves its stream's care only when the dead-letter stream has it. */
  private async deadLetter(message: JsMsg, error: unknown): Promise<void> {
    const { stream, durable } = this.spec;
    for (;;) {
      try {
        await this.publisher.publish(deadLetterOf(message, stream.name, durable, error));
        break;
      } catch (publishError) {
        if (this.stopping) return;
        this.host.logger.error({ err: publishError }, 'the dead-letter stream could not be reached');
        await delay(1_000);
      }
    }
    message.term();
    this.forget(message);
    deadLetters.add(1, { consumer: durable });
    this.host.logger.error({ err: error, durable, subject: message.subject, sequence: message.seq }, 'a message went to the dead-letter stream');
  }
}

interface Decoded {
  message: JsMsg;
  received: Received;
}

function linkTo(parent: Received['trace']): Link[] {
  const spanContext = trace.getSpanContext(parent);
  return spanContext ? [{ context: spanContext }] : [];
}
