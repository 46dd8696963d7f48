// An API key as it is stored: everything but the secret, of which there is only a keyed digest.
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { KeySchema, VerdictSchema, type Key, type Verdict } from '@na/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { keyStatus } from './key-status.js';

@Entity({ name: 'keys' })
export class ApiKey {
  @PrimaryColumn({ name: 'workspace_id', type: 'text' })
  workspaceId!: string;

  /** TypeID "key_…"; its suffix is the public id inside the credential. */
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text', array: true })
  scopes!: string[];

  /** Of the secret, for people to tell their keys apart. */
  @Column({ name: 'last_four', type: 'text' })
  lastFour!: string;

  @Column({ name: 'secret_mac', type: 'bytea' })
  secretMac!: Buffer;

  @Column({ name: 'pepper_version', type: 'integer' })
  pepperVersion!: number;

  /** Rises with every change, so that whoever remembers a verdict knows which is the newer one. */
  @Column({ type: 'integer' })
  version!: number;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ name: 'expires_at', type: 'timestamptz', precision: 3, nullable: true })
  expiresAt!: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', precision: 3, nullable: true })
  revokedAt!: Date | null;
}

export function toProto(key: ApiKey, now: Date): Key {
  const { id, workspaceId, name, scopes, lastFour, createdAt, expiresAt, revokedAt } = key;
  const status = keyStatus(key, { suspendedAt: null }, now);
  return create(KeySchema, {
    id,
    workspaceId,
    name,
    scopes,
    status: status === 'valid' ? 'active' : status,
    lastFour,
    createdAt: timestampFromDate(createdAt),
    expiresAt: expiresAt ? timestampFromDate(expiresAt) : undefined,
    revokedAt: revokedAt ? timestampFromDate(revokedAt) : undefined,
  });
}

export function toVerdict({ id, workspaceId, scopes, expiresAt, version }: ApiKey): Verdict {
  return create(VerdictSchema, { keyId: id, workspaceId, scopes, expiresAt: expiresAt ? timestampFromDate(expiresAt) : undefined, version });
}
