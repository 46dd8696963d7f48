// What became of requests with an Idempotency-Key, in PostgreSQL, so that a repeat meets it in any replica and after any crash.
//
// A record is claimed before its request is carried out, and ends in one of three ways: kept with the answer, forgotten when
// the request was refused, or released when nobody knows what was done. A gateway that dies leaves its claim behind, which
// counts for a minute. Whoever claims a record that was released or left behind gets the id and time that the first request
// was given.
import { randomUUID } from 'node:crypto';
import { acrossWorkspaces, inWorkspace, type Clock } from '@na/service-host';
import { typeid } from 'typeid-js';
import type { DataSource, EntityManager } from 'typeorm';

export interface Claim {
  workspaceId: string;
  key: string;
  /** Suffix of a TypeID that is the same each time this record is claimed: what the request makes gets it for its id. */
  newId: string;
  /** When the record was first claimed, which is the time of what the request makes. */
  firstAt: Date;
  /** What became of an earlier try is not known: even if this one is refused, something may have been done. */
  isRepeat: boolean;
  /** Tells this claim from one that took its place. */
  token: string;
  /** Given by a route whose answer may be too large to be kept: the answer without what a repeat can do without. */
  inShort?: () => object;
}

export interface KeptAnswer {
  status: number;
  headers: Record<string, string>;
  /** Null when it was too large to be kept. */
  body: string | null;
}

export type Claimed =
  | { kind: 'claimed'; claim: Claim }
  | { kind: 'running' }
  | { kind: 'another_request' }
  | { kind: 'answered'; answer: KeptAnswer };

const keptMs = 24 * 60 * 60 * 1_000;

/** Far longer than any request takes: its calls of services end in 20 s at most. */
const claimMs = 60_000;

/** A record that vanishes between two looks was just forgotten, and can be claimed; this many such looks are more than chance. */
const maxLooks = 5;

const deletedAtOnce = 5_000;

interface Row {
  fingerprint: Buffer;
  status: number | null;
  headers: Record<string, string> | null;
  body: string | null;
}

export class IdempotencyRecords {
  constructor(
    private readonly database: DataSource,
    private readonly clock: Clock,
  ) {}

  async claim(workspaceId: string, key: string, fingerprint: Buffer): Promise<Claimed> {
    return inWorkspace(this.database, workspaceId, async (tx) => {
      for (let look = 0; look < maxLooks; look++) {
        const claim = await this.tryToClaim(tx, workspaceId, key, fingerprint);
        if (claim) return { kind: 'claimed', claim };
        const [row] = await tx.query<Row[]>(
          'SELECT fingerprint, status, headers, body FROM idempotency_records WHERE workspace_id = $1 AND key = $2',
          [workspaceId, key],
        );
        if (row) return whatBecameOf(row, fingerprint);
      }
      return { kind: 'running' };
    });
  }

  /** Of several at once one gets it: PostgreSQL lets the others wait at the row and then look at what it has become. */
  private async tryToClaim(tx: EntityManager, workspaceId: string, key: string, fingerprint: Buffer): Promise<Claim | undefined> {
    const now = this.clock.now();
    const [token, freshId] = [randomUUID(), typeid().getSuffix()];
    const [row] = await tx.query<{ new_id: string; created_at: Date }[]>(
      `INSERT INTO idempotency_records AS record (workspace_id, key, fingerprint, new_id, claim, claimed_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $6)
       ON CONFLICT (workspace_id, key) DO UPDATE SET
         fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_at = excluded.claimed_at, status = NULL, headers = NULL, body = NULL,
         new_id = CASE WHEN record.created_at <= $7 THEN excluded.new_id ELSE record.new_id END,
         created_at = CASE WHEN record.created_at <= $7 THEN excluded.created_at ELSE record.created_at END
       WHERE record.created_at <= $7
          OR (record.status IS NULL AND (record.claimed_at IS NULL OR record.claimed_at <= $8) AND record.fingerprint = excluded.fingerprint)
       RETURNING new_id, created_at`,
      [workspaceId, key, fingerprint, freshId, token, now, before(now, keptMs), before(now, claimMs)],
    );
    return row && { workspaceId, key, newId: row.new_id, firstAt: row.created_at, isRepeat: row.new_id !== freshId, token };
  }

  keep(claim: Claim, { status, headers, body }: KeptAnswer): Promise<void> {
    return this.settle(claim, 'UPDATE idempotency_records SET status = $4, headers = $5, body = $6', [status, headers, body]);
  }

  /** Nothing was done: the key is as if it had never been used. */
  forget(claim: Claim): Promise<void> {
    return this.settle(claim, 'DELETE FROM idempotency_records');
  }

  /** Something may have been done: the same request may come again at once, and another may not. */
  release(claim: Claim): Promise<void> {
    return this.settle(claim, 'UPDATE idempotency_records SET claimed_at = NULL');
  }

  /** Does nothing to a record that was claimed anew meanwhile. */
  private async settle({ workspaceId, key, token }: Claim, statement: string, values: unknown[] = []): Promise<void> {
    const ofClaim = `${statement} WHERE workspace_id = $1 AND key = $2 AND claim = $3`;
    await inWorkspace(this.database, workspaceId, (tx) => tx.query(ofClaim, [workspaceId, key, token, ...values]));
  }

  /** @returns whether there may be more */
  async deleteOld(): Promise<boolean> {
    const [, deleted] = await acrossWorkspaces(this.database, (tx) =>
      tx.query<[unknown, number]>(
        `DELETE FROM idempotency_records WHERE (workspace_id, key) IN
           (SELECT workspace_id, key FROM idempotency_records WHERE created_at <= $1 LIMIT ${deletedAtOnce})`,
        [before(this.clock.now(), keptMs)],
      ),
    );
    return deleted === deletedAtOnce;
  }
}

function whatBecameOf({ fingerprint, status, headers, body }: Row, asked: Buffer): Claimed {
  if (!fingerprint.equals(asked)) return { kind: 'another_request' };
  return status === null ? { kind: 'running' } : { kind: 'answered', answer: { status, headers: headers ?? {}, body } };
}

function before(now: Date, ms: number): Date {
  return new Date(now.getTime() - ms);
}
