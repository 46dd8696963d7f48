// A workspace: what keys, pages, goals and webhooks belong to, and beyond whose border nobody sees.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { WorkspaceSchema } from '@na/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'workspaces' })
export class Workspace {
  /** TypeID "ws_…". */
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  /** IANA name. */
  @Column({ name: 'time_zone', type: 'text' })
  timeZone!: string;

  @Column({ name: 'owner_emails', type: 'text', array: true })
  ownerEmails!: string[];

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  /** While set, no key of the workspace is accepted. */
  @Column({ name: 'suspended_at', type: 'timestamptz', precision: 3, nullable: true })
  suspendedAt!: Date | null;
}

export function toProto({ id, name, timeZone, ownerEmails, createdAt }: Workspace): MessageInitShape<typeof WorkspaceSchema> {
  return { id, name, timeZone, ownerEmails, createdAt: timestampFromDate(createdAt) };
}
