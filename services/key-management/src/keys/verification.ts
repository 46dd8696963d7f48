// Judges presented secrets. Nothing of a key is said to whoever does not have one that opens it.
import { create } from '@bufbuild/protobuf';
import { VerdictSchema, type Verdict } from '@na/contracts';
import type { Clock } from '@na/service-host';
import type { DataSource } from 'typeorm';
import { rateLimitToProto, timestampOf, type ApiKey } from './api-key.entity.js';
import type { KeyDigester, StoredDigest } from './key-digest.js';
import { keyStatus, type KeyStatus } from './key-status.js';
import { previousSecretEnd } from './rotation.js';

/** A secret that was superseded is told from a wrong one: who has it has not guessed it. Of older ones nothing is known any more. */
export type Verification = { status: KeyStatus; verdict: Verdict } | { status: 'unknown' | 'wrong_secret' | 'superseded'; verdict?: undefined };

type Secrets = Pick<ApiKey, 'secretMac' | 'pepperVersion' | 'previousSecretMac' | 'previousPepperVersion' | 'previousEndsAt' | 'expiresAt'>;

type Row = Omit<ApiKey, 'name' | 'createdAt'> & { suspendedAt: Date | null; workspaceVersion: number };

/** What is found for an id that no key has. */
interface NoKey {
  id: null;
}

/**
 * By hand, because every request that a gateway has no verdict for waits for it: one round trip, by the index on the id, on
 * a pool whose connections see every workspace (a presented credential does not name its own). Of an unknown id there is a row of
 * the usual size all the same, with no id: to send and read one takes a fiftieth of a refusal, which could be told from outside.
 */
const keyWithWorkspace = `
  WITH found AS (
    SELECT k.id, k.workspace_id AS "workspaceId", k.scopes, k.version, k.allowed_ips AS "allowedIps", k.rate_limit AS "rateLimit",
           k.rate_window_seconds AS "rateWindowSeconds", k.secret_mac AS "secretMac", k.pepper_version AS "pepperVersion",
           k.previous_secret_mac AS "previousSecretMac", k.previous_pepper_version AS "previousPepperVersion",
           k.previous_ends_at AS "previousEndsAt", k.not_before AS "notBefore", k.expires_at AS "expiresAt",
           k.disabled_at AS "disabledAt", k.revoked_at AS "revokedAt", w.suspended_at AS "suspendedAt", w.version AS "workspaceVersion"
    FROM keys k JOIN workspaces w ON w.id = k.workspace_id WHERE k.id = $1
  )
  SELECT * FROM found
  UNION ALL
  SELECT NULL, rpad('ws_', 29, '0'), ARRAY['pages:read', 'pages:write', 'webhooks:read', 'webhooks:write'], 1, ARRAY[]::text[], NULL,
         NULL, decode(repeat('00', 32), 'hex'), 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1
  WHERE NOT EXISTS (SELECT FROM found)`;

export class Verifier {
  /** @param everywhere see `openAcrossWorkspaces` */
  constructor(
    private readonly everywhere: DataSource,
    private readonly digester: KeyDigester,
    private readonly clock: Clock,
  ) {}

  async verify(id: string, secretDigest: Uint8Array): Promise<Verification> {
    const [found] = await this.everywhere.query<(Row | NoKey)[]>(keyWithWorkspace, [id]);
    const row = found?.id ? found : undefined;
    const now = this.clock.now();
    const secret = this.secretOf(row, secretDigest, now);
    if (!row || !secret) return { status: row ? 'wrong_secret' : 'unknown' };
    if (secret === 'superseded') return { status: secret };
    return { status: keyStatus(row, row, now), verdict: verdictOf(row, secret) };
  }

  /** Whether the secret is one of the key's, and not superseded. */
  isOpenedBy(key: Secrets, secretDigest: Uint8Array, now: Date): boolean {
    const secret = this.secretOf(key, secretDigest, now);
    return secret === 'current' || secret === 'previous';
  }

  /** Which secret of the key was presented. The work is the same whether there is such a key, such a secret, or neither. */
  private secretOf(key: Secrets | undefined, secretDigest: Uint8Array, now: Date): 'current' | 'previous' | 'superseded' | undefined {
    const isCurrent = this.digester.matches(key, secretDigest);
    const isPrevious = this.digester.matches(this.previousOf(key, now), secretDigest);
    if (isCurrent) return 'current';
    if (!isPrevious) return undefined;
    return isOver(key!, now) ? 'superseded' : 'previous';
  }

  /** One that is over must not keep a pepper from being taken away. */
  private previousOf(key: Secrets | undefined, now: Date): StoredDigest | undefined {
    if (!key?.previousSecretMac) return undefined;
    const stored = { secretMac: key.previousSecretMac, pepperVersion: key.previousPepperVersion! };
    return isOver(key, now) && !this.digester.knows(stored) ? undefined : stored;
  }
}

function isOver(key: Secrets, now: Date): boolean {
  return now >= previousSecretEnd(key)!;
}

function verdictOf(row: Row, secret: 'current' | 'previous'): Verdict {
  const { id: keyId, workspaceId, scopes, version, allowedIps, workspaceVersion } = row;
  return create(VerdictSchema, {
    keyId,
    workspaceId,
    scopes,
    expiresAt: timestampOf(row.expiresAt),
    version,
    allowedIps,
    rateLimit: rateLimitToProto(row),
    workspaceVersion,
    secretExpiresAt: secret === 'previous' ? timestampOf(previousSecretEnd(row)) : undefined,
  });
}
