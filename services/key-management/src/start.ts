// Composition root of key-management: workspaces, API keys, the audit log of both, and the leases of gateways.
import { Module } from '@nestjs/common';
import { connectBus, Publisher, serveOnBus } from '@na/messaging';
import { OutboxRelay } from '@na/outbox';
import { openAcrossWorkspaces, openDatabase, SharedTurns, Turns, type Config, type Host, type serviceSettings } from '@na/service-host';
import { AuditEntry } from './audit/audit-entry.entity.js';
import { AuditLog } from './audit/audit-log.js';
import { AuditLogRpc } from './audit/audit-log.rpc.js';
import { Changes } from './changes.js';
import { GatewayBarrier } from './gateways/barrier.js';
import { GatewayLeases } from './gateways/gateway-leases.js';
import { GatewayLeasesRpc } from './gateways/gateway-leases.rpc.js';
import { ApiKey } from './keys/api-key.entity.js';
import { ExpiringKeys } from './keys/expiring-keys.js';
import { KeyDigester } from './keys/key-digest.js';
import { KeyUses } from './keys/key-use.js';
import { Keys } from './keys/keys.js';
import { KeysRpc } from './keys/keys.rpc.js';
import { Revocation } from './keys/revocation.js';
import { Verifier } from './keys/verification.js';
import { CreateTables1793000000000 } from './migrations/1793000000000-create-tables.js';
import { CreateOutboxFailed1797000000000 } from './migrations/1797000000000-create-outbox-failed.js';
import { CompleteKeys1798000000000 } from './migrations/1798000000000-complete-keys.js';
import { SecureRows1798100000000 } from './migrations/1798100000000-secure-rows.js';
import { IndexLivingKeys1798210000000 } from './migrations/1798210000000-index-living-keys.js';
import { RememberRotations1798250000000 } from './migrations/1798250000000-remember-rotations.js';
import { poolShares, type settings } from './settings.js';
import { Workspace } from './workspaces/workspace.entity.js';
import { Workspaces } from './workspaces/workspaces.js';
import { WorkspacesRpc } from './workspaces/workspaces.rpc.js';

@Module({})
class KeyManagement {}

const schema = 'key_management';
const entities = [Workspace, ApiKey, AuditEntry];
const migrations = [
  CreateTables1793000000000,
  CreateOutboxFailed1797000000000,
  CompleteKeys1798000000000,
  SecureRows1798100000000,
  IndexLivingKeys1798210000000,
  RememberRotations1798250000000,
];

export async function startKeyManagement(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<void> {
  const shares = poolShares(config.databasePoolSize);
  const database = await openDatabase({ ...config, databasePoolSize: shares.changes + shares.rest, schema, entities, migrations }, host);
  const everywhere = await openAcrossWorkspaces({ ...config, databasePoolSize: shares.verdicts, schema, entities, migrations }, host);
  const bus = await connectBus(config, host);
  const relay = OutboxRelay.start(database, new Publisher(bus), host);
  ExpiringKeys.start(database, relay, config.keyExpiryWarningDays, host);

  const digester = new KeyDigester(config.keyPeppers);
  const verifier = new Verifier(everywhere, digester, host.clock);
  // Renewals are in a hurry: they too must not queue behind changes.
  const leases = new GatewayLeases(everywhere, config.keyLeaseMs);
  const barrier = new GatewayBarrier(bus.connection, leases, host.logger);
  const changes = new Changes(database, relay, barrier, new SharedTurns(new Turns(shares.changes)));
  const standardRate = { limit: config.rateLimit, windowSeconds: config.rateLimitWindowSeconds };
  const policy = { standardRate, warningDays: config.keyExpiryWarningDays, maxPerWorkspace: config.maxKeysPerWorkspace };
  const module = {
    module: KeyManagement,
    controllers: [WorkspacesRpc, KeysRpc, AuditLogRpc, GatewayLeasesRpc],
    providers: [
      { provide: Workspaces, useValue: new Workspaces(database, changes, host.clock) },
      { provide: Keys, useValue: new Keys(database, changes, digester, host.clock, policy) },
      { provide: Revocation, useValue: new Revocation(changes, verifier, host.clock) },
      { provide: Verifier, useValue: verifier },
      { provide: KeyUses, useValue: new KeyUses(everywhere, host.clock) },
      { provide: AuditLog, useValue: new AuditLog(database) },
      { provide: GatewayLeases, useValue: leases },
    ],
  };
  await serveOnBus(module, bus, config.natsUrl, host);
}
