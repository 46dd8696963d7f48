// Plays one scenario against real dispatchers and writes its history down for scheduler-rules.ts to judge.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Delivery } from '@na/contracts';
import { eventually, type Behaviour, type ReceivedRequest } from '@na/testing';
import { typeid } from 'typeid-js';
import { isFinal, type Disturbance, type History, type Sent, type Snapshot } from './scheduler-rules.js';
import { outcomes, timeoutMs, type Scenario, type Step } from './scheduler-scenario.js';
import type { Place, SchedulerStage } from './scheduler-stage.js';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Real milliseconds: so that little is lost by asking a dispatcher that was just killed. */
const rpcTimeoutMs = 2_000;

/** Real milliseconds: well above what JetStream takes to give back what a killed dispatcher had. */
const mustHappenWithinMs = 8_000;

export class SchedulerRun {
  readonly story: string[] = [];
  private readonly workspaceId = typeid('ws').toString();
  private readonly answers: Behaviour[];
  private readonly history: History;
  private retried = new Set<string>();
  private cancelled = new Set<string>();
  private killedAt = -Infinity;
  private publishedAt = new Map<string, number>();

  constructor(
    private readonly stage: SchedulerStage,
    private readonly scenario: Scenario,
  ) {
    const { maxAttempts, answers } = scenario;
    this.answers = answers.map((name) => outcomes[name]);
    this.history = { maxAttempts, endpointIds: [], published: [], requests: [], disturbances: [], snapshots: [], missed: new Map(), end: [] };
  }

  async play(): Promise<History> {
    await this.open();
    for (const step of this.scenario.steps) {
      this.tell(JSON.stringify(step));
      await this.take(step);
      await this.look();
    }
    this.tell('everything is let run');
    await this.end();
    return this.history;
  }

  /** Two dispatchers and two endpoints. */
  private async open(): Promise<void> {
    await this.startBoth();
    this.stage.receiver.behave((response, request) => this.receive(response, request));
    for (const index of [0, 1]) {
      const settings = { workspaceId: this.workspaceId, eventTypes: ['page.created'], timeoutMs, maxAttempts: this.scenario.maxAttempts, ordered: this.scenario.ordered && index === 1 };
      const { endpointId } = await this.stage.dispatcher.createEndpoint(`${this.stage.receiver.url}/${this.workspaceId}/${index}`, settings);
      this.history.endpointIds.push(endpointId);
    }
  }

  private async startBoth(): Promise<void> {
    for (const place of [0, 1] as const) await this.stage.start(place);
  }

  private receive(response: Parameters<Behaviour>[0], request: ReceivedRequest): void {
    const [workspaceId, index] = request.path.split('/').slice(-2);
    if (workspaceId !== this.workspaceId) return;
    const header = (name: string) => String(request.headers[name]);
    const behaviour = this.answers[Number(index)]!;
    const sent: Sent = {
      deliveryId: header('x-webhook-delivery'),
      endpointId: this.history.endpointIds[Number(index)]!,
      eventId: header('webhook-id'),
      attempt: Number(header('x-webhook-attempt')),
      signedAt: Number(header('webhook-timestamp')),
      at: performance.now(),
      endedAt: Infinity,
      isBrokenOff: behaviour === outcomes.reset,
    };
    this.history.requests.push(sent);
    this.tell(`endpoint ${index} receives attempt ${sent.attempt} of ${sent.deliveryId}`);
    response.on('close', () => (sent.endedAt = performance.now()));
    behaviour(response, request, 0);
  }

  private async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.publish(step.events);
      case 'answer':
        return void (this.answers[step.endpoint] = outcomes[step.with]);
      case 'pass':
        return this.pass(step.seconds);
      case 'leap':
        return this.moveClock(step.seconds, -Infinity);
      case 'kill':
        return this.kill(step.place);
      case 'stop':
      case 'start':
        return this.stage[step.do](step.place);
      case 'cancel':
        return this.cancel(await this.pick(step.delivery));
      case 'retry':
        return this.retry(await this.pick(step.delivery));
    }
  }

  private async publish(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const event = this.stage.dispatcher.pageCreated(this.workspaceId);
      await this.stage.dispatcher.publish(event);
      this.history.published.push(event.id);
      this.publishedAt.set(event.id, performance.now());
    }
  }

  private async kill(place: Place): Promise<void> {
    await this.during({ kind: 'kill' }, () => this.stage.kill(place));
    this.killedAt = performance.now();
  }

  /** As time passes: an attempt is over long before its lease is. */
  private async pass(seconds: number): Promise<void> {
    const restedAt = performance.now();
    if (this.stage.isAnyoneThere) await this.rest();
    await this.moveClock(seconds, restedAt);
  }

  /** By itself as when a machine wakes up: leases end under attempts in flight. */
  private async moveClock(seconds: number, allRecordedAt: number): Promise<void> {
    const before = this.stage.dispatcher.bed.clock.now().getTime();
    const moved = { kind: 'clock moved', before: Math.floor(before / 1_000), allRecordedAt } as const;
    await this.during(moved, () => this.stage.setTime(new Date(before + seconds * 1_000)));
    this.tell(`${seconds} s have passed`);
  }

  private async cancel(delivery: Delivery | undefined): Promise<void> {
    if (!delivery) return;
    const { caller } = this;
    if (await this.byHand(this.stage.dispatcher.deliveries.cancelDelivery({ caller, id: delivery.id }, { timeoutMs: rpcTimeoutMs }))) this.cancelled.add(delivery.id);
  }

  private async retry(delivery: Delivery | undefined): Promise<void> {
    if (!delivery) return;
    const { caller } = this;
    if (await this.byHand(this.stage.dispatcher.deliveries.retryDelivery({ caller, id: delivery.id }, { timeoutMs: rpcTimeoutMs }))) this.retried.add(delivery.id);
  }

  /** @returns whether it may have been accepted: what is refused is refused as a conflict, and a crash leaves it open */
  private async byHand(call: Promise<unknown>): Promise<boolean> {
    try {
      await call;
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'conflict' && code !== 'deadline_exceeded') throw error;
      return code !== 'conflict';
    }
  }

  /** Of those there are; waits for the first. */
  private async pick(index: number): Promise<Delivery | undefined> {
    if (!this.stage.isAnyoneThere || this.mustBeLogged().length === 0) return undefined;
    return eventually(async () => {
      const deliveries = await this.list();
      if (deliveries.length === 0) throw new Error('nothing is in the table');
      return deliveries[index % deliveries.length];
    }, mustHappenWithinMs);
  }

  private async look(): Promise<void> {
    if (!this.stage.isAnyoneThere) return;
    const snapshot: Snapshot = { deliveries: new Map((await this.list()).map((delivery) => [delivery.id, delivery])), retried: this.retried, cancelled: this.cancelled };
    this.retried = new Set();
    this.cancelled = new Set();
    this.history.snapshots.push(snapshot);
  }

  /** Resolves when the living dispatchers have no more to do for now. @throws Error when they don't do what they must */
  private async rest(): Promise<void> {
    await eventually(async () => {
      const events = this.mustBeLogged();
      const logged = await this.stage.countLogged(events);
      if (logged < events.length) throw new Error(`${events.length - logged} events are not in the log`);
      const unrecorded = this.unrecorded(await this.list());
      if (unrecorded) throw new Error(`attempt ${unrecorded.attempt} of ${unrecorded.deliveryId} is not recorded`);
    }, mustHappenWithinMs);
    // What waits for an endpoint that asked for a pause stays leased or due: nobody can tell it from what is in hand.
    await eventually(async () => {
      if ((await this.stage.countBusy(this.workspaceId)) > 0) throw new Error('something may be in hand');
    }, timeoutMs + 100).catch(() => undefined);
  }

  /** Events that no killed dispatcher can have had. */
  private mustBeLogged(): string[] {
    return [...this.publishedAt].filter(([, at]) => at > this.killedAt).map(([id]) => id);
  }

  /** An attempt that the receiver saw and the table does not show, apart from those that a crash may have taken with it. */
  private unrecorded(deliveries: Delivery[]): Sent | undefined {
    const table = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
    return this.history.requests.find(({ at, deliveryId, attempt }) => {
      const delivery = table.get(deliveryId);
      return at > this.killedAt && (delivery?.attempts ?? 0) < attempt;
    });
  }

  /** Everybody is well again, and time goes on until nothing is left to do. */
  private async end(): Promise<void> {
    this.answers.fill(outcomes.ok);
    await this.startBoth();
    await eventually(async () => {
      if ((await this.stage.countUnacknowledged()) > 0) throw new Error('not every event is acknowledged');
    }, mustHappenWithinMs);
    await this.rest();
    await this.enableEndpoints();
    await eventually(() => this.finish(), 2 * mustHappenWithinMs).catch(() => undefined);
    await this.look();
    for (const { id } of await this.list()) {
      const { delivery, attemptLog } = await this.stage.dispatcher.deliveries.getDelivery({ caller: this.caller, id });
      this.history.end.push({ delivery: delivery!, attemptLog });
    }
  }

  private async enableEndpoints(): Promise<void> {
    for (const id of this.history.endpointIds) {
      const { missedEvents } = await this.stage.dispatcher.endpoints.enableEndpoint({ caller: this.caller, id });
      this.history.missed.set(id, missedEvents);
    }
  }

  /** @throws Error when something is unfinished, after moving the clock to where it may go on */
  private async finish(): Promise<void> {
    const unfinished = (await this.list()).filter((delivery) => !isFinal(delivery));
    if (unfinished.length === 0) return;
    const now = this.stage.dispatcher.bed.clock.now().getTime();
    const waits = unfinished.map(({ nextRetryAt }) => (nextRetryAt ? timestampDate(nextRetryAt).getTime() - now : 0));
    // What is due already waits for the end of a pause, or of a dead dispatcher's lease.
    await this.pass(Math.min(60, ...waits.filter((ms) => ms > 0).map((ms) => ms / 1_000)));
    throw new Error(`${unfinished.length} deliveries are unfinished`);
  }

  private async during<T>(disturbance: DistributiveOmit<Disturbance, 'from' | 'to'>, work: () => Promise<T>): Promise<T> {
    const from = performance.now();
    const result = await work();
    this.history.disturbances.push({ ...disturbance, from, to: performance.now() });
    return result;
  }

  /** Again where a question went to a dispatcher that was just killed. */
  private list(): Promise<Delivery[]> {
    const { caller } = this;
    return eventually(async () => (await this.stage.dispatcher.deliveries.listDeliveries({ caller, limit: 100 }, { timeoutMs: rpcTimeoutMs })).deliveries);
  }

  private get caller() {
    return { workspaceId: this.workspaceId, actor: 'test' };
  }

  private tell(what: string): void {
    this.story.push(`${this.stage.dispatcher.bed.clock.now().toISOString()} ${what}`);
  }
}
