// Which gateways may go by what they remember, and until when. All times are the database's own, so that neither the clocks
// of gateways nor those of the replicas of this service count.
import { ServiceError } from '@na/service-error';
import type { DataSource } from 'typeorm';

const maxIdLength = 100;

/**
 * A lease that was called in is not renewed until it has run out. Rows of gateways that are gone go with the next renewal of
 * another. `clock_timestamp()` and not `now()`, which in a statement that waits for a lock is the time before the wait.
 */
const renew = `
  WITH gone AS (DELETE FROM gateway_leases WHERE gateway_id <> $1 AND leased_until < clock_timestamp() - interval '1 minute')
  INSERT INTO gateway_leases AS lease (gateway_id, leased_until, is_renewable)
  VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond', true)
  ON CONFLICT (gateway_id) DO UPDATE SET leased_until = excluded.leased_until, is_renewable = true
  WHERE lease.is_renewable OR lease.leased_until <= clock_timestamp()
  RETURNING gateway_id`;

const holders = 'SELECT gateway_id AS "gatewayId" FROM gateway_leases WHERE leased_until > statement_timestamp()';

/**
 * Which leases are over is judged by the beginning of the statement, as of `holders`: it is before the snapshot. By a later
 * moment a row might have run out that was being renewed, unseen by the snapshot, and its gateway might not have noticed an end.
 */
const callIn = `
  UPDATE gateway_leases SET is_renewable = false WHERE gateway_id = ANY($1::text[]) AND leased_until > statement_timestamp()
  RETURNING gateway_id AS "gatewayId", (extract(epoch FROM leased_until - clock_timestamp()) * 1000)::float8 AS "remainingMs"`;

export interface RunningLease {
  gatewayId: string;
  /** From when the answer arrived at the latest. */
  remainingMs: number;
}

export class GatewayLeases {
  constructor(
    private readonly database: DataSource,
    /** Length of a lease, in milliseconds. */
    readonly leaseMs: number,
  ) {}

  /** @throws ServiceError `unavailable` for a lease that was called in and has not run out yet */
  async renew(gatewayId: string): Promise<void> {
    const isId = gatewayId !== '' && gatewayId.length <= maxIdLength;
    if (!isId) throw new ServiceError('invalid_request', `gateway_id must have 1 to ${maxIdLength} characters.`);
    const renewed = await this.database.query<unknown[]>(renew, [gatewayId, this.leaseMs]);
    if (renewed.length === 0) throw new ServiceError('unavailable', 'The lease was called in: it can be renewed once it has run out.');
  }

  /** For a gateway that remembers nothing any more. */
  async end(gatewayId: string): Promise<void> {
    await this.database.query('DELETE FROM gateway_leases WHERE gateway_id = $1', [gatewayId]);
  }

  /** The gateways that may remember something at this moment. */
  async holders(): Promise<string[]> {
    const rows = await this.database.query<{ gatewayId: string }[]>(holders);
    return rows.map(({ gatewayId }) => gatewayId);
  }

  /** Sees to it that these leases run out, and says when. Those that have are left out. */
  async callIn(gatewayIds: string[]): Promise<RunningLease[]> {
    const [rows] = await this.database.query<[RunningLease[], number]>(callIn, [gatewayIds]);
    return rows;
  }
}
