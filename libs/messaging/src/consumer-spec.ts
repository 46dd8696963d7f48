// `@OnMessages({...})` makes a controller method the handler of a durable JetStream consumer. Such a method gets a batch
// of decoded messages and returns when they are dealt with; returning is the acknowledgement.
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { EventPattern } from '@nestjs/microservices';
import type { Context } from '@opentelemetry/api';
import type { StreamSpec } from '@na/contracts';

/** Nest's transport id of the JetStream strategy. */
export const JETSTREAM = Symbol('jetstream');

export interface ConsumerSpec<D extends DescMessage = DescMessage> {
  stream: StreamSpec;
  /** Name of the durable consumer. Replicas with the same name share its messages. */
  durable: string;
  /** Subject filter, such as `na.events.v1.>`. */
  filter: string;
  message: D;
  /** Most messages handed over at once. When little comes in, each message is handed over as it comes. */
  maxBatch: number;
  /** How many batches may be with the handler at the same time; 1 unless told, which keeps the order of arrival. */
  maxConcurrentBatches?: number;
  /**
   * Most messages out at once over all replicas, which is also the most that one holds in memory. A replica asks for half of
   * them at a time, so that two share the work.
   */
  maxInFlight: number;
  /**
   * Failures after which a message goes to the dead-letter stream. Only those count that the message or its handler may be
   * to blame for, as one replica sees them; while something else is wrong, a message is tried for as long as it lasts.
   */
  maxTries: number;
}

export interface Received<D extends DescMessage = DescMessage> {
  message: MessageShape<D>;
  subject: string;
  /** Position in the stream; rises with the order of arrival. */
  sequence: number;
  /** How often it has been delivered, counted from 1; outages and restarts add to it. */
  tries: number;
  /** The trace the message came with. */
  trace: Context;
}

export type BatchHandler<D extends DescMessage = DescMessage> = (batch: Received<D>[]) => Promise<void>;

/** How a handler's failure gets past Nest, whose exception layer would replace it by "Internal server error". */
export class HandlerFailure {
  constructor(readonly error: unknown) {}
}

export function OnMessages<D extends DescMessage>(spec: ConsumerSpec<D>) {
  return (target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<BatchHandler<D>>): void => {
    const handle = descriptor.value!;
    const caught = function (this: unknown, batch: Received<D>[]): Promise<void | HandlerFailure> {
      return handle.call(this, batch).catch((error: unknown) => new HandlerFailure(error));
    };
    descriptor.value = caught as BatchHandler<D>;
    EventPattern(spec.durable, JETSTREAM, { spec })(target, key, descriptor as unknown as TypedPropertyDescriptor<(data: object) => unknown>);
  };
}
