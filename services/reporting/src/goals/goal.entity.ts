// A goal, as it stands in the table: a named event that counts as success, perhaps on one page only.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('goals')
export class Goal {
  @PrimaryColumn({ name: 'workspace_id', type: 'text' })
  workspaceId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ name: 'event_name', type: 'text' })
  eventName!: string;

  /** Null means every page of the workspace. */
  @Column({ name: 'page_id', type: 'text', nullable: true })
  pageId!: string | null;

  /** What one conversion is worth, in the workspace's own unit. */
  @Column({ type: 'double precision', nullable: true })
  value!: number | null;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}
