// The dispatcher's schema, and who has which of its connections.
import { openAcrossWorkspaces, openDatabase, type Config, type Host, type serviceSettings } from '@na/service-host';
import type { DataSource } from 'typeorm';
import { Endpoint } from './endpoints/endpoint.entity.js';
import { Foundation1780000000000 } from './migrations/1780000000000-foundation.js';
import { EndpointSettingsHealthReplays1796000000000 } from './migrations/1796000000000-endpoint-settings-health-replays.js';
import { OutboxAndAlerts1796100000000 } from './migrations/1796100000000-outbox-and-alerts.js';
import { ReplayPace1796200000000 } from './migrations/1796200000000-replay-pace.js';
import { EventsForOneEndpoint1796300000000 } from './migrations/1796300000000-events-for-one-endpoint.js';
import { DeliveriesInGroups1796400000000 } from './migrations/1796400000000-deliveries-in-groups.js';
import { DisabledSince1796500000000 } from './migrations/1796500000000-disabled-since.js';
import { GroupsBehindRowSecurity1796600000000 } from './migrations/1796600000000-groups-behind-row-security.js';
import { RepeatedRequests1796650000000 } from './migrations/1796650000000-repeated-requests.js';
import { SecureRows1796700000000 } from './migrations/1796700000000-secure-rows.js';
import { PartialCounts1796800000000 } from './migrations/1796800000000-partial-counts.js';
import { AskedPausesAndOwedRecoveries1796900000000 } from './migrations/1796900000000-asked-pauses-and-owed-recoveries.js';
import { RecordedRequests1797000000000 } from './migrations/1797000000000-recorded-requests.js';
import { AttemptsOfCancelled1797100000000 } from './migrations/1797100000000-attempts-of-cancelled.js';
import { RunsOfThePolicy1797200000000 } from './migrations/1797200000000-runs-of-the-policy.js';
import { EnabledSince1797300000000 } from './migrations/1797300000000-enabled-since.js';
import { UnspentRetries1797400000000 } from './migrations/1797400000000-unspent-retries.js';
import { Replay } from './replays/replay.entity.js';
import type { settings } from './settings.js';

export const migrations = [
  Foundation1780000000000,
  EndpointSettingsHealthReplays1796000000000,
  OutboxAndAlerts1796100000000,
  ReplayPace1796200000000,
  EventsForOneEndpoint1796300000000,
  DeliveriesInGroups1796400000000,
  DisabledSince1796500000000,
  GroupsBehindRowSecurity1796600000000,
  RepeatedRequests1796650000000,
  SecureRows1796700000000,
  PartialCounts1796800000000,
  AskedPausesAndOwedRecoveries1796900000000,
  RecordedRequests1797000000000,
  AttemptsOfCancelled1797100000000,
  RunsOfThePolicy1797200000000,
  EnabledSince1797300000000,
  UnspentRetries1797400000000,
];

export interface Databases {
  /** For what is asked on behalf of one workspace, in a transaction that names it. */
  database: DataSource;
  /** For the loops, whose statements are of many workspaces at once. */
  everywhere: DataSource;
}

/**
 * The loops look for rows they know by their keys. A day's partition is empty when it is planned for first, and until it has been
 * analyzed PostgreSQL would rather read all of it for each batch than walk along an index: a minute later that is most of what
 * it does. Compiling such a statement takes longer than running it.
 */
export const alongIndexes = 'SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off';

/**
 * A page of the delivery table takes a connection tens of milliseconds to plan for the first time, so all are kept; not for ever, since
 * PostgreSQL gives none of the memory back that a connection has come to use.
 */
const keptSeconds = 86_400;

/** Callers get a quarter of the connections, so that they neither hold up deliveries nor wait for them; a pool of one is taken for two. */
export async function openDatabases(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<Databases> {
  const ofCallers = Math.ceil(config.databasePoolSize / 4);
  const ofLoops = Math.max(1, config.databasePoolSize - ofCallers);
  const options = { ...config, schema: 'webhook_dispatcher', entities: [Endpoint, Replay], migrations };
  const database = await openDatabase({ ...options, databasePoolSize: ofCallers, kept: { min: ofCallers, maxLifetimeSeconds: keptSeconds } }, host);
  return { database, everywhere: await openAcrossWorkspaces({ ...options, databasePoolSize: ofLoops }, host, alongIndexes) };
}
