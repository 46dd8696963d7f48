// A tracked page, as it stands in the table.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('pages')
export class Page {
  @PrimaryColumn({ name: 'workspace_id', type: 'text' })
  workspaceId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  /** Normalised; unique within the workspace. */
  @Column({ type: 'text' })
  url!: string;

  @Column({ type: 'text' })
  title!: string;

  /** IANA name; null means the workspace's. */
  @Column({ name: 'time_zone', type: 'text', nullable: true })
  timeZone!: string | null;

  /** When the first hit was received. */
  @Column({ name: 'verified_at', type: 'timestamptz', precision: 3, nullable: true })
  verifiedAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}
