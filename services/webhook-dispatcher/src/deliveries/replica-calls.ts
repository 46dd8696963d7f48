// What a replica has all others hear before it answers whoever asked for it: that an endpoint has changed, that a delivery
// is not to be attempted; and what it asks one of them: to hurry with a delivery. Over core NATS, on the connection that also
// brings the events: on one server a call overtakes every event that is published after it.
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Logger } from '@na/service-host';
import { setTimeout as delay } from 'node:timers/promises';

export type Call =
  | { about: 'endpoint'; workspaceId: string; endpointId: string }
  | ({ about: 'delivery' } & Held);

/** A delivery that a replica may have in its memory. */
export interface Held {
  endpointId: string;
  deliveryId: string;
}

/** What it needs to know of the replicas. */
export interface Replicas {
  number: number;
  /** Numbers of all that live, this one included. @throws what the database says */
  living(): Promise<Set<number>>;
}

export interface Hearing {
  /** Resolves when this replica has acted on the call. */
  heard: (call: Call) => Promise<void>;
  /** Has a delivery attempted before all others that wait for its endpoint. @returns false when it does not wait here */
  hurry: (held: Held) => Promise<boolean>;
  /** From now on calls may be missed. */
  lost: () => void;
  /** From now on none is missed any more. */
  regained: () => void;
}

/** Between replicas of one service, and of no interest to anyone else. */
const subject = 'na.replicas.v1.webhook-dispatcher';

/** Of what one replica is asked alone. */
const subjectOf = (replica: number) => `${subject}.${replica}`;
const [yes, no] = ['yes', 'no'];

export class ReplicaCalls {
  private readonly subscriptions: Subscription[] = [];

  /** @param patienceMs how long a call waits for replicas that don't answer */
  constructor(
    private readonly connection: NatsConnection,
    private readonly replicas: Replicas,
    private readonly patienceMs: number,
    private readonly logger: Logger,
  ) {}

  /** Resolves when no call is missed any more. */
  async listen(hearing: Hearing): Promise<void> {
    this.subscriptions.push(
      this.listenTo(subject, async (message) => {
        await hearing.heard(message.json<Call>());
        return String(this.replicas.number);
      }),
      this.listenTo(subjectOf(this.replicas.number), async (message) => ((await hearing.hurry(message.json<Held>())) ? yes : no)),
    );
    void followConnection(this.connection, hearing);
    await this.connection.flush();
    hearing.regained();
  }

  /** Last of all that goes by calls: until the replica's lock is free, others wait for its answers. */
  async close(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.drain()));
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

  /** Asks one replica to hurry. @returns false when the delivery does not wait there, or the replica does not answer. Never rejects. */
  async hurry(replica: number, held: Held): Promise<boolean> {
    try {
      const answer = await this.connection.request(subjectOf(replica), JSON.stringify(held), { timeout: this.patienceMs });
      return answer.string() === yes;
    } catch {
      return false;
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

  /** @param act returns the answer */
  private listenTo(to: string, act: (message: Msg) => Promise<string>): Subscription {
    return this.connection.subscribe(to, { callback: (_error, message) => void this.answer(message, act) });
  }

  private async answer(message: Msg, act: (message: Msg) => Promise<string>): Promise<void> {
    try {
      message.respond(await act(message));
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
