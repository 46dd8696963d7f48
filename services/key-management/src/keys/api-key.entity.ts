// An API key as it is stored: everything but its secrets, of which there are only keyed digests.
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { etagOf, KeySchema, publicJson, type Key, type RateLimitSchema } from '@na/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { shownStatus } from './key-status.js';
import type { RateLimited } from './rate.js';
import { overlapEnd } from './rotation.js';

export type RevokedReason = 'by_hand' | 'leaked';

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

  /** The secret before the last rotation, good until `previousEndsAt`, and after that only known. */
  @Column({ name: 'previous_secret_mac', type: 'bytea', nullable: true })
  previousSecretMac!: Buffer | null;

  @Column({ name: 'previous_pepper_version', type: 'integer', nullable: true })
  previousPepperVersion!: number | null;

  @Column({ name: 'previous_ends_at', type: 'timestamptz', precision: 3, nullable: true })
  previousEndsAt!: Date | null;

  /** Rises with every change, so that whoever remembers a verdict knows which is the newer one. */
  @Column({ type: 'integer' })
  version!: number;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ name: 'rotated_at', type: 'timestamptz', precision: 3, nullable: true })
  rotatedAt!: Date | null;

  /** Names of the last rotations, newest first: a second try of one of them rotates nothing. */
  @Column({ name: 'rotation_ids', type: 'text', array: true })
  rotationIds!: string[];

  @Column({ name: 'not_before', type: 'timestamptz', precision: 3, nullable: true })
  notBefore!: Date | null;

  @Column({ name: 'expires_at', type: 'timestamptz', precision: 3, nullable: true })
  expiresAt!: Date | null;

  /** When it is next told that the key will soon end. */
  @Column({ name: 'next_warning_at', type: 'timestamptz', precision: 3, nullable: true })
  nextWarningAt!: Date | null;

  @Column({ name: 'disabled_at', type: 'timestamptz', precision: 3, nullable: true })
  disabledAt!: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', precision: 3, nullable: true })
  revokedAt!: Date | null;

  @Column({ name: 'revoked_reason', type: 'text', nullable: true })
  revokedReason!: RevokedReason | null;

  /** Canonical addresses and CIDR ranges; none is everywhere. */
  @Column({ name: 'allowed_ips', type: 'text', array: true })
  allowedIps!: string[];

  @Column({ name: 'rate_limit', type: 'integer', nullable: true })
  rateLimit!: number | null;

  @Column({ name: 'rate_window_seconds', type: 'integer', nullable: true })
  rateWindowSeconds!: number | null;

  /** Changes without a new version: nobody judges by it. */
  @Column({ name: 'last_used_at', type: 'timestamptz', precision: 3, nullable: true })
  lastUsedAt!: Date | null;
}

export function toProto(key: ApiKey, now: Date): Key {
  const { id, workspaceId, name, scopes, lastFour, allowedIps, createdAt, revokedReason } = key;
  return create(KeySchema, {
    id,
    workspaceId,
    name,
    scopes,
    status: shownStatus(key, now),
    lastFour,
    createdAt: timestampFromDate(createdAt),
    expiresAt: timestampOf(key.expiresAt),
    revokedAt: timestampOf(key.revokedAt),
    revokedReason: revokedReason ?? undefined,
    notBefore: timestampOf(key.notBefore),
    disabledAt: timestampOf(key.disabledAt),
    allowedIps,
    rateLimit: rateLimitToProto(key),
    lastUsedAt: timestampOf(key.lastUsedAt),
    rotatedAt: timestampOf(key.rotatedAt),
    previousSecretExpiresAt: timestampOf(overlapEnd(key, now)),
  });
}

/** As the public API shows it, for the audit log. */
export function view(key: ApiKey, now: Date) {
  return publicJson(KeySchema, toProto(key, now));
}

export function etag(key: ApiKey, now: Date): string {
  return etagOf(KeySchema, toProto(key, now));
}

export function rateLimitToProto({ rateLimit, rateWindowSeconds }: RateLimited): MessageInitShape<typeof RateLimitSchema> | undefined {
  return rateLimit === null || rateWindowSeconds === null ? undefined : { limit: rateLimit, windowSeconds: rateWindowSeconds };
}

export function timestampOf(date: Date | null): Timestamp | undefined {
  return date ? timestampFromDate(date) : undefined;
}
