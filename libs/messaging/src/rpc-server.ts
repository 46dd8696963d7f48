// Nest's NATS server with our wire format, which answers what it has taken before it lets go of the connection.
import { ServerNats } from '@nestjs/microservices';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { natsOptions } from './bus.js';
import { replySerializer, requestDeserializer } from './rpc-wire.js';

export class RpcServer extends ServerNats {
  private inFlight = 0;
  private idle?: () => void;

  /** @param service also the queue group: each request is answered by one replica */
  constructor(natsUrl: string, service: string) {
    super({
      ...natsOptions(natsUrl, `${service} rpc`),
      queue: service,
      serializer: replySerializer,
      deserializer: requestDeserializer,
    });
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- Nest waits for what the hook returns, though it is typed as void
    this.setOnProcessingStartHook((_transport, _context, done) => {
      this.inFlight += 1;
      return done();
    });
    this.setOnProcessingEndHook(() => {
      this.inFlight -= 1;
      if (this.inFlight === 0) this.idle?.();
    });
  }

  /** Resolves when nats-server has all subscriptions: until then a request would find nobody there. */
  async listening(): Promise<void> {
    await this.unwrap<NatsConnection>().flush();
  }

  override async close(): Promise<void> {
    // Nest keeps the subscriptions private; its own graceful stop waits a fixed time instead of for the work.
    const subscriptions = this['subscriptions'] as Subscription[];
    await Promise.all(subscriptions.map((subscription) => subscription.drain()));
    if (this.inFlight > 0) await new Promise<void>((resolve) => (this.idle = resolve));
    // Nest publishes a reply one tick after the handler has ended.
    await new Promise((resolve) => setImmediate(resolve));
    await super.close();
  }
}
