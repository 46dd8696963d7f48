// The Nest transport strategy for JetStream: starts one consumer for every `@OnMessages` method of the application.
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import type { Host } from '@na/service-host';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Bus } from './bus.js';
import { Consumer } from './consumer.js';
import { HandlerFailure, JETSTREAM, type BatchHandler, type ConsumerSpec } from './consumer-spec.js';
import { Publisher } from './publisher.js';

export class JetStreamServer extends Server implements CustomTransportStrategy {
  override readonly transportId = JETSTREAM;
  private readonly consumers: Consumer[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly host: Host,
  ) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    this.startConsumers().then(() => callback(), callback);
  }

  async close(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
  }

  /** Required by Nest, which offers it for events of the underlying client; the bus reports its own. */
  on(): void {}

  unwrap<T>(): T {
    return this.bus.connection as T;
  }

  private async startConsumers(): Promise<void> {
    const publisher = new Publisher(this.bus);
    for (const handler of this.messageHandlers.values()) {
      const { spec } = handler.extras as { spec: ConsumerSpec };
      const consumer = new Consumer(spec, runThroughNest(handler), this.bus, publisher, this.host);
      this.consumers.push(consumer);
      await consumer.start();
    }
  }
}

/** Runs the handler through Nest's own layers and brings its failure to the consumer, which settles by it. */
function runThroughNest(handler: MessageHandler): BatchHandler {
  return async (batch) => {
    const returned: unknown = await handler(batch);
    const result: unknown = isObservable(returned) ? await lastValueFrom(returned, { defaultValue: undefined }) : returned;
    if (result instanceof HandlerFailure) throw result.error;
  };
}
