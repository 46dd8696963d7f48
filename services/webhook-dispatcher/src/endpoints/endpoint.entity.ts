// A customer's webhook endpoint: where deliveries go, which events it wants, how failures are retried.
import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { RetryPolicy } from '../deliveries/retry-policy.js';

export type EndpointStatus = 'enabled' | 'disabled';

export interface PreviousSecret {
  /** Base64 of the sealed bytes. */
  sealed: string;
  /** RFC 3339. */
  until: string;
}

/** Of one that nothing is known against. */
export const unblemished = { status: 'enabled', disabledReason: null, disabledAt: null, failingSince: null, failedAttempts: 0, warnings: 0, pausedUntil: null } as const;

@Entity('endpoints')
export class Endpoint {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ name: 'workspace_id', type: 'text' })
  workspaceId!: string;

  @Column({ type: 'text' })
  url!: string;

  @Column({ type: 'text' })
  description!: string;

  @Column({ name: 'event_types', type: 'text', array: true })
  eventTypes!: string[];

  @Column({ name: 'retry_policy', type: 'jsonb' })
  retryPolicy!: RetryPolicy;

  @Column({ name: 'timeout_ms', type: 'integer' })
  timeoutMs!: number;

  @Column({ type: 'text' })
  status!: EndpointStatus;

  @Column({ name: 'disabled_reason', type: 'text', nullable: true })
  disabledReason!: string | null;

  @Column({ name: 'sealed_secret', type: 'bytea' })
  sealedSecret!: Buffer;

  /** Newest first. All that are not over sign along with the current one. */
  @Column({ name: 'previous_secrets', type: 'jsonb' })
  previousSecrets!: PreviousSecret[];

  /** Names of the last rotations, newest first: a second try of one of them rotates nothing. */
  @Column({ name: 'rotation_ids', type: 'text', array: true })
  rotationIds!: string[];

  @Column({ name: 'page_ids', type: 'text', array: true })
  pageIds!: string[];

  @Column({ type: 'jsonb' })
  headers!: Record<string, string>;

  @Column({ name: 'rate_limit_per_second', type: 'integer', nullable: true })
  rateLimitPerSecond!: number | null;

  @Column({ name: 'max_in_flight', type: 'integer', nullable: true })
  maxInFlight!: number | null;

  @Column({ type: 'boolean' })
  ordered!: boolean;

  @Column({ name: 'disabled_at', type: 'timestamptz', precision: 3, nullable: true })
  disabledAt!: Date | null;

  /** A deleted endpoint stays for as long as its deliveries are to be explained. */
  @Column({ name: 'deleted_at', type: 'timestamptz', precision: 3, nullable: true })
  deletedAt!: Date | null;

  @Column({ name: 'failing_since', type: 'timestamptz', precision: 3, nullable: true })
  failingSince!: Date | null;

  @Column({ name: 'failed_attempts', type: 'integer' })
  failedAttempts!: number;

  /** How many warnings the owners have had since it began to fail. */
  @Column({ type: 'integer' })
  warnings!: number;

  /** When it was disabled before it was last enabled. */
  @Column({ name: 'missed_since', type: 'timestamptz', precision: 3, nullable: true })
  missedSince!: Date | null;

  /** When it was last enabled by hand. */
  @Column({ name: 'enabled_at', type: 'timestamptz', precision: 3, nullable: true })
  enabledAt!: Date | null;

  /** Since when it was failing by what the owners were told last, if they have not been told of a recovery. */
  @Column({ name: 'told_since', type: 'timestamptz', precision: 3, nullable: true })
  toldSince!: Date | null;

  /** Failed attempts since then, from before it was last enabled. */
  @Column({ name: 'failed_before', type: 'integer' })
  failedBefore!: number;

  /** It has asked to be left alone until then. */
  @Column({ name: 'paused_until', type: 'timestamptz', precision: 3, nullable: true })
  pausedUntil!: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}
