// A workspace: what keys, pages, goals and webhooks belong to, and beyond whose border nobody sees.
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { WorkspaceSchema, type Workspace as WorkspaceMessage } from '@na/contracts';
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

  /** Rises with every suspension and resumption: what gateways remember of its keys under a lower one is void. */
  @Column({ type: 'integer' })
  version!: number;
}

export function toProto({ id, name, timeZone, ownerEmails, createdAt, suspendedAt }: Workspace): WorkspaceMessage {
  return create(WorkspaceSchema, {
    id,
    name,
    timeZone,
    ownerEmails,
    createdAt: timestampFromDate(createdAt),
    suspendedAt: suspendedAt ? timestampFromDate(suspendedAt) : undefined,
  });
}
