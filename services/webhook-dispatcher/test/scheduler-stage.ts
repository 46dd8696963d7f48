// What the runs of the scheduler's property test share: a database, a bus, a customer's server, and two places for
// dispatchers that come and go as processes.
import { streams } from '@na/contracts';
import { WebhookReceiver } from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';
import { DispatcherProcess, environmentOn } from './dispatcher-process.js';

/** A dispatcher renews its claim on messages every 1.7 s; what a killed one had comes back after this, and not after 5 s. */
const ackWaitMs = 2_000;

const consumer = 'webhook-dispatcher';

export type Place = 0 | 1;

export class SchedulerStage {
  private readonly running: (DispatcherProcess | undefined)[] = [undefined, undefined];
  /** Loaded already: a start costs its test no second. */
  private spare: DispatcherProcess;

  private constructor(
    readonly dispatcher: DispatcherBed,
    readonly receiver: WebhookReceiver,
  ) {
    this.spare = this.load();
  }

  static async open(): Promise<SchedulerStage> {
    const dispatcher = await DispatcherBed.withoutDispatcher();
    return new SchedulerStage(dispatcher, await WebhookReceiver.start());
  }

  get isAnyoneThere(): boolean {
    return this.present.length > 0;
  }

  async start(place: Place): Promise<void> {
    if (this.running[place]) return;
    const dispatcher = this.spare;
    this.spare = this.load();
    await dispatcher.start(this.dispatcher.bed.clock.now());
    this.running[place] = dispatcher;
    await this.dispatcher.bed.bus.manager.consumers.update(streams.events.name, consumer, { ack_wait: ackWaitMs * 1e6 });
  }

  async stop(place: Place): Promise<void> {
    await this.take(place)?.stop();
  }

  /** Resolves when the process is gone and everything it had sent has arrived. */
  async kill(place: Place): Promise<void> {
    await this.take(place)?.kill();
    // Its last requests are in the kernel by now, but the receiver may still have to accept and to read them.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves when all clocks show it. */
  async setTime(time: Date): Promise<void> {
    this.dispatcher.bed.clock.set(time);
    await Promise.all(this.present.map((dispatcher) => dispatcher.setTime(time)));
  }

  /** How many events on the bus are not dealt with. */
  async countUnacknowledged(): Promise<number> {
    const { num_pending, num_ack_pending } = await this.dispatcher.bed.bus.manager.consumers.info(streams.events.name, consumer);
    return num_pending + num_ack_pending;
  }

  /** How many of the events are in the log. */
  async countLogged(eventIds: string[]): Promise<number> {
    const { rows } = await this.dispatcher.sql.query<{ count: number }>('SELECT count(*)::integer AS count FROM events WHERE id = ANY($1)', [eventIds]);
    return rows[0]!.count;
  }

  /** Deliveries that a living dispatcher may have in hand, and those that one may take at any moment. */
  async countBusy(workspaceId: string): Promise<number> {
    const { rows } = await this.dispatcher.sql.query<{ count: number }>(
      `SELECT count(*)::integer AS count
       FROM deliveries d JOIN endpoints p ON p.id = d.endpoint_id
       WHERE d.workspace_id = $1 AND p.status = 'enabled' AND CASE WHEN d.due_at <= $2 THEN true ELSE d.leased_by IN (
         SELECT objid::bigint::integer FROM pg_locks
         WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       ) END`,
      [workspaceId, this.dispatcher.bed.clock.now()],
    );
    return rows[0]!.count;
  }

  async close(): Promise<void> {
    await Promise.all([this.spare, ...this.present].map((dispatcher) => dispatcher.kill()));
    await this.receiver.stop();
    await this.dispatcher.stop();
  }

  private get present(): DispatcherProcess[] {
    return this.running.filter((dispatcher) => dispatcher !== undefined);
  }

  private take(place: Place): DispatcherProcess | undefined {
    const dispatcher = this.running[place];
    this.running[place] = undefined;
    return dispatcher;
  }

  private load(): DispatcherProcess {
    return new DispatcherProcess(environmentOn(this.dispatcher));
  }
}
