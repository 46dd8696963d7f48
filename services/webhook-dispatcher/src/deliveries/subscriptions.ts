// Who wants the events of a workspace, kept in memory, so that no event waits for the database. What keeps it true is said
// in docs/decisions/0016: replicas are told of every change before its author gets an answer, and what is older than its
// lifetime is never used.
import type { Target } from './delivery.js';

export interface Subscription {
  eventTypes: string[];
  /** Empty for all. */
  pageIds: string[];
  target: Target;
}

/** @returns the endpoints of each workspace that has any */
export type LoadSubscriptions = (workspaceIds: string[]) => Promise<Map<string, Subscription[]>>;

interface Entry {
  subscriptions: Subscription[];
  /** When its loading began, by the monotonic clock in milliseconds. */
  asOf: number;
  /** An event has needed it since it was loaded. */
  isInUse: boolean;
}

/**
 * Longest that an entry is used without being loaded anew, in milliseconds: how long the answer to a change waits when a
 * replica can't be told.
 */
export const lifetimeMs = 2_000;

/** One in use is loaded anew, in the background, from this age on: a busy workspace never waits. */
const renewAfterMs = 1_000;

/**
 * And takes others in use along that are at least so old: most of what a query costs does not depend on how many it is about. No
 * more at once than leaves the event loop free for other things.
 */
const takenAlongAfterMs = 500;
const maxRenewed = 100;

/** Endpoints in memory, of about 2 KB each, and workspaces. The oldest entries go first. */
const maxKept = 20_000;

export class Subscriptions {
  private readonly entries = new Map<string, Entry>();
  private readonly loading = new Map<string, { asOf: number; work: Promise<Subscription[]> }>();
  private kept = 0;
  /** Workspaces to load with the next query. */
  private wanted?: { workspaceIds: string[]; loaded: Promise<Map<string, Subscription[]>> };
  private isTrusted = true;

  /** @param monotonicNow in milliseconds, and not set by anyone: time that a process was suspended counts */
  constructor(
    private readonly load: LoadSubscriptions,
    private readonly monotonicNow: () => number = () => performance.now(),
  ) {}

  /** Those in memory; undefined when the database has to be asked. */
  known(workspaceId: string): Subscription[] | undefined {
    const age = this.ageOf(workspaceId);
    if (age >= lifetimeMs) return undefined;
    const entry = this.entries.get(workspaceId)!;
    entry.isInUse = true;
    if (age >= renewAfterMs) this.renewWithOthers(workspaceId);
    return entry.subscriptions;
  }

  /** @throws what the database says, when it has to be asked */
  async of(workspaceId: string): Promise<Subscription[]> {
    return this.known(workspaceId) ?? this.loadOnce(workspaceId);
  }

  /** What was loaded, or began to be loaded, before now is not used any more: who waits for it gets what is loaded next. */
  forget(workspaceId: string): void {
    this.drop(workspaceId);
    this.loading.delete(workspaceId);
  }

  /** While changes can't be heard of, everything is loaded when it is needed and nothing kept. */
  distrust(): void {
    this.isTrusted = false;
    this.forgetAll();
  }

  trust(): void {
    this.isTrusted = true;
    this.forgetAll();
  }

  private ageOf(workspaceId: string): number {
    const entry = this.entries.get(workspaceId);
    return entry ? this.monotonicNow() - entry.asOf : Infinity;
  }

  private forgetAll(): void {
    for (const workspaceId of [...this.entries.keys(), ...this.loading.keys()]) this.forget(workspaceId);
  }

  /** Should it fail, whoever needs one of them after its lifetime gets the error. */
  private renewWithOthers(workspaceId: string): void {
    if (this.loading.has(workspaceId)) return;
    const renewed = [workspaceId];
    for (const [other, { isInUse }] of this.entries) {
      if (renewed.length >= maxRenewed) break;
      if (other !== workspaceId && isInUse && this.ageOf(other) >= takenAlongAfterMs) renewed.push(other);
    }
    for (const one of renewed) this.loadOnce(one).catch(() => undefined);
  }

  private loadOnce(workspaceId: string): Promise<Subscription[]> {
    const asOf = this.monotonicNow();
    const running = this.loading.get(workspaceId);
    if (running && asOf - running.asOf < lifetimeMs) return running.work;
    const isCurrent = () => this.loading.get(workspaceId) === load;
    const work = this.loadWithOthers(workspaceId)
      .then((subscriptions) => {
        if (!isCurrent()) return this.of(workspaceId);
        if (this.isTrusted) this.keep(workspaceId, { subscriptions, asOf, isInUse: false });
        return subscriptions;
      })
      .finally(() => isCurrent() && this.loading.delete(workspaceId));
    const load = { asOf, work };
    this.loading.set(workspaceId, load);
    return work;
  }

  /** All that are needed at the same moment, by one query. */
  private async loadWithOthers(workspaceId: string): Promise<Subscription[]> {
    this.wanted ??= this.nextQuery();
    this.wanted.workspaceIds.push(workspaceId);
    return (await this.wanted.loaded).get(workspaceId) ?? [];
  }

  private nextQuery() {
    const workspaceIds: string[] = [];
    const loaded = Promise.resolve().then(() => {
      if (this.wanted === query) this.wanted = undefined;
      return this.load(workspaceIds);
    });
    const query = { workspaceIds, loaded };
    return query;
  }

  private keep(workspaceId: string, entry: Entry): void {
    this.drop(workspaceId);
    this.entries.set(workspaceId, entry);
    this.kept += weightOf(entry);
    for (const oldest of this.entries.keys()) {
      if (this.kept <= maxKept) break;
      this.drop(oldest);
    }
  }

  private drop(workspaceId: string): void {
    const entry = this.entries.get(workspaceId);
    if (!entry) return;
    this.entries.delete(workspaceId);
    this.kept -= weightOf(entry);
  }
}

/** That a workspace has no endpoint is kept too: most events are of such ones. */
function weightOf({ subscriptions }: Entry): number {
  return 1 + subscriptions.length;
}
