// One change in the audit log: who did what to which thing, from where, and how the thing looked before and after.
import type { JsonObject } from '@na/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'audit_log' })
export class AuditEntry {
  @PrimaryColumn({ name: 'workspace_id', type: 'text' })
  workspaceId!: string;

  /** TypeID "aud_…". */
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  /** "key_…", "operator", or "leak_report" for whoever showed a leaked secret. */
  @Column({ type: 'text' })
  actor!: string;

  /** The client's IP address. */
  @Column({ type: 'text' })
  address!: string;

  @Column({ name: 'request_id', type: 'text' })
  requestId!: string;

  /** Such as "key.revoked". */
  @Column({ type: 'text' })
  action!: string;

  /** Id of what was changed. */
  @Column({ type: 'text' })
  target!: string;

  @Column({ type: 'jsonb', nullable: true })
  before!: JsonObject | null;

  @Column({ type: 'jsonb', nullable: true })
  after!: JsonObject | null;
}
