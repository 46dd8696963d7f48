// When keys were last used, as gateways gather it. It is no change of a key: nothing is told to anyone, no version rises.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { KeyUse } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import type { DataSource } from 'typeorm';

export const maxUses = 1_000;

/** Rows are locked in the order of their ids, so that gateways that report the same keys at once do not block each other for good. */
const recordLater = `
  WITH reported AS (
    SELECT id, least(max(used_at), $3) AS used_at FROM unnest($1::text[], $2::timestamptz[]) AS use (id, used_at) GROUP BY id
  ), locked AS (
    SELECT key.id, reported.used_at FROM keys AS key JOIN reported USING (id)
    WHERE key.last_used_at IS NULL OR key.last_used_at < reported.used_at
    ORDER BY key.id FOR NO KEY UPDATE OF key
  )
  UPDATE keys SET last_used_at = locked.used_at FROM locked WHERE keys.id = locked.id`;

export class KeyUses {
  /** @param everywhere see `openAcrossWorkspaces`: a gateway's report is of many workspaces */
  constructor(
    private readonly everywhere: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Only ever moves forward, and never past now, whatever a gateway's clock says. */
  async record(uses: KeyUse[]): Promise<void> {
    if (uses.length > maxUses) throw new ServiceError('invalid_request', `At most ${maxUses} uses at once.`);
    const used = uses.filter(({ lastUsedAt }) => lastUsedAt);
    const times = used.map(({ lastUsedAt }) => timestampDate(lastUsedAt!));
    await this.everywhere.query(recordLater, [used.map(({ keyId }) => keyId), times, this.clock.now()]);
  }
}
