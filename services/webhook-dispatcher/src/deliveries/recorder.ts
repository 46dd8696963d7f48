// Takes attempts and sees to it that they come into the database, in groups. An endpoint's lane does not wait for it, unless
// the database falls so far behind that what is unrecorded would fill the memory.
import type { Logger } from '@na/service-host';
import { recordKindOf, type RecordKind } from './attempt-store.js';
import type { AttemptedDelivery } from './delivery.js';
import { GroupCommit, type GroupCommitPace } from './group-commit.js';

/** With those in flight, how many attempts a crash may repeat. */
const maxUnrecorded = 2_000;

/**
 * What succeeded at once, which is nearly all: nobody waits for it but its event's acknowledgement, and large statements cost
 * PostgreSQL less for each.
 */
const paceOfQuick: GroupCommitPace = { gatherMs: 20, maxWriters: 3 };

/** The other kinds have a retry or the next of an ordered endpoint to follow. They never keep the quick ones waiting. */
const paceOfOthers: GroupCommitPace = { gatherMs: 4, maxWriters: 1 };

export class Recorder {
  private readonly groups = new Map<string, GroupCommit<AttemptedDelivery>>();
  private readonly unrecorded = new Set<string>();
  private readonly watches = new Set<Set<string>>();
  private blocked: (() => void)[] = [];

  /** @param write gets attempts of one kind. One that PostgreSQL refuses is made again when its lease ends, or its event comes again */
  constructor(
    private readonly write: (batch: AttemptedDelivery[], kind: RecordKind, isRepeat: boolean) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /** Takes the attempt. Resolves at once, or while the database is away when there is room again. */
  async record(attempted: AttemptedDelivery): Promise<void> {
    const { unwritten } = attempted.delivery;
    if (unwritten?.state === 'held') unwritten.become('recording');
    this.unrecorded.add(attempted.delivery.id);
    this.groupOf(recordKindOf(attempted)).add(attempted);
    if (this.unrecorded.size > maxUnrecorded) await new Promise<void>((resolve) => this.blocked.push(resolve));
  }

  /** Whether an attempt of the delivery has been made that the database does not know of yet. */
  holds(deliveryId: string): boolean {
    return this.unrecorded.has(deliveryId);
  }

  /**
   * For a look into the database: deliveries with an attempt that it may not have shown, because that was recorded during the
   * look or is still to be.
   */
  async watchDuring<T>(look: () => Promise<T>): Promise<[T, (deliveryId: string) => boolean]> {
    const recorded = new Set<string>();
    this.watches.add(recorded);
    try {
      const seen = await look();
      return [seen, (deliveryId) => recorded.has(deliveryId) || this.holds(deliveryId)];
    } finally {
      this.watches.delete(recorded);
    }
  }

  /** How many attempts the database does not know of yet. */
  get backlog(): number {
    return this.unrecorded.size;
  }

  /** Resolves when everything taken so far is in the database. */
  async drain(): Promise<void> {
    await Promise.all([...this.groups.values()].map((group) => group.drain()));
  }

  private groupOf(kind: RecordKind): GroupCommit<AttemptedDelivery> {
    const name = `${kind.isUnwritten} ${kind.isSuccessful}`;
    const group = this.groups.get(name) ?? this.newGroup(kind);
    this.groups.set(name, group);
    return group;
  }

  private newGroup(kind: RecordKind): GroupCommit<AttemptedDelivery> {
    const isQuick = kind.isUnwritten && kind.isSuccessful;
    const work = {
      write: (batch: AttemptedDelivery[], isRepeat: boolean) => this.write(batch, kind, isRepeat),
      done: (batch: AttemptedDelivery[]) => this.release(batch, (settled) => settled.resolve()),
      // Its event is not to be acknowledged: nothing of it is in the database.
      refused: (attempted: AttemptedDelivery, error: unknown) => this.release([attempted], (settled) => settled.reject(error)),
      nameOf: ({ delivery }: AttemptedDelivery) => delivery.id,
    };
    return new GroupCommit(work, isQuick ? paceOfQuick : paceOfOthers, this.logger);
  }

  private release(batch: AttemptedDelivery[], settle: (settled: PromiseWithResolvers<void>) => void): void {
    for (const { delivery } of batch) {
      this.unrecorded.delete(delivery.id);
      for (const recorded of this.watches) recorded.add(delivery.id);
      if (delivery.unwritten?.state === 'recording') settle(delivery.unwritten.settled);
    }
    for (const goOn of this.blocked.splice(0)) goOn();
  }
}
