// What a replica has all others hear before it answers whoever asked for it: that an endpoint has changed, that a delivery
// is not to be attempted. Over core NATS, on the connection that also brings the events: on one server a call overtakes
// every event that is published after it.
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Logger } from '@na/service-host';
import { setTimeout as delay } from 'node:timers/promises';

export type Call =
  | { about: 'endpoint'; workspaceId: string; endpointId: string }
  | { about: 'delivery'; endpointId: string; deliveryId: string };

/** What it needs to know of the replicas. */
export interface Replicas {
  number: number;
  /** Numbers of all that live, this one included. @throws what the database says */
  living(): Promise<Set<number>>;
}

export interface Hearing {
  /** Resolves when this replica has acted on the call. */
  heard: (call: Call) => Promise<void>;
  /** From now on calls may be missed. */
  lost: () => void;
  /** From now on none is missed any more. */
  regained: () => void;
}

/** Between replicas of one service, and of no interest to anyone else. */
const subject = 'na.replicas.v1.webhook-dispatcher';

export class ReplicaCalls {
  private heard?: Subscription;

  /** @param patienceMs how long a call waits for replicas that don't answer */
  constructor(
    private readonly connection: NatsConnection,
    private readonly replicas: Replicas,
    private readonly patienceMs: number,
    private readonly logger: Logger,
  ) {}

  /** Resolves when no call is missed any more. */
  async listen(hearing: Hearing): Promise<void> {
    this.heard = this.connection.subscribe(subject, { callback: (_error, message) => void this.hear(message, hearing) });
    void followConnection(this.connection, hearing);
    await this.connection.flush();
    hearing.regained();
  }

  /** Last of all that goes by calls: until the replica's lock is free, others wait for its answers. */
  async close(): Promise<void> {
    await this.heard?.drain();
  }

  /**
   * Resolves when every replica that lives has acted on the call, or has not answered for as long as the patience: it is
   * suspended, overloaded or cut off from the bus. Never rejects.
   */
  async tell(call: Call): Promise<void> {
    try {
      await this.tellAll(call);
    } catch (error) {
      this.logger.warn({ err: error, ...call }, 'replicas could not be told; they find out by themselves');
      await this.patience();
    }
  }

  private async tellAll(call: Call): Promise<void> {
    // Asked after the change is committed: who begins to live later also begins to read later.
    const missing = await this.replicas.living();
    const all = Promise.withResolvers<void>();
    const inbox = createInbox();
    const answers = this.connection.subscribe(inbox, {
      callback: (_error, message) => {
        missing.delete(Number(message.string()));
        if (missing.size === 0) all.resolve();
      },
    });
    this.connection.publish(subject, JSON.stringify(call), { reply: inbox });
    await Promise.race([all.promise, this.patience()]);
    answers.unsubscribe();
    if (missing.size > 0) this.logger.warn({ ...call, replicas: [...missing] }, 'replicas did not answer');
  }

  private patience(): Promise<void> {
    return delay(this.patienceMs, undefined, { ref: false });
  }

  private async hear(message: Msg, { heard }: Hearing): Promise<void> {
    try {
      await heard(message.json<Call>());
      message.respond(String(this.replicas.number));
    } catch (error) {
      this.logger.error({ err: error }, 'a call of a replica could not be acted on');
    }
  }
}

/** Ends with the connection. */
async function followConnection(connection: NatsConnection, { lost, regained }: Hearing): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'disconnect') lost();
    // The client has subscribed again by then, and after the flush the server knows.
    if (type === 'reconnect') await connection.flush().then(regained, () => undefined);
  }
}
