// A replay: a window of an endpoint's past that is delivered to it once more, and how far it has come.
import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { DeliveryStatus } from '../deliveries/delivery.js';

export type ReplayStatus = 'planned' | 'running' | 'completed' | 'cancelled';

@Entity('replays')
export class Replay {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ name: 'workspace_id', type: 'text' })
  workspaceId!: string;

  @Column({ name: 'endpoint_id', type: 'text' })
  endpointId!: string;

  @Column({ type: 'text' })
  status!: ReplayStatus;

  @Column({ type: 'timestamptz', precision: 3 })
  since!: Date;

  @Column({ type: 'timestamptz', precision: 3 })
  until!: Date;

  @Column({ type: 'text', array: true })
  statuses!: DeliveryStatus[];

  /** Patterns as in an endpoint's event types; empty means all. */
  @Column({ name: 'event_types', type: 'text', array: true })
  eventTypes!: string[];

  @Column({ name: 'include_missed', type: 'boolean' })
  includeMissed!: boolean;

  @Column({ name: 'rate_per_second', type: 'integer' })
  ratePerSecond!: number;

  @Column({ name: 'dry_run', type: 'boolean' })
  dryRun!: boolean;

  @Column({ type: 'integer' })
  total!: number;

  /** There was no time to count all: there are at least `total`. */
  @Column({ name: 'total_is_partial', type: 'boolean' })
  totalIsPartial!: boolean;

  @Column({ type: 'integer' })
  done!: number;

  /** Time and id of the last event dealt with: it goes on after that one. */
  @Column({ name: 'after_event_at', type: 'timestamptz', precision: 3 })
  afterEventAt!: Date;

  @Column({ name: 'after_id', type: 'text' })
  afterId!: string;

  /** Not before this, so that its rate holds over batches, replicas and restarts. */
  @Column({ name: 'next_batch_at', type: 'timestamptz', precision: 3 })
  nextBatchAt!: Date;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ name: 'completed_at', type: 'timestamptz', precision: 3, nullable: true })
  completedAt!: Date | null;
}
