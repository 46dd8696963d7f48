// Composition root of key-management: workspaces, API keys and the audit log of both.
import { Module } from '@nestjs/common';
import { connectBus, Publisher, serveOnBus } from '@na/messaging';
import { OutboxRelay } from '@na/outbox';
import { openDatabase, type Config, type Host, type serviceSettings } from '@na/service-host';
import { AuditEntry } from './audit/audit-entry.entity.js';
import { ApiKey } from './keys/api-key.entity.js';
import { KeyDigester } from './keys/key-digest.js';
import { Keys } from './keys/keys.js';
import { KeysRpc } from './keys/keys.rpc.js';
import { CreateTables1793000000000 } from './migrations/1793000000000-create-tables.js';
import { CreateOutboxFailed1797000000000 } from './migrations/1797000000000-create-outbox-failed.js';
import type { settings } from './settings.js';
import { Workspace } from './workspaces/workspace.entity.js';
import { Workspaces } from './workspaces/workspaces.js';
import { WorkspacesRpc } from './workspaces/workspaces.rpc.js';

@Module({})
class KeyManagement {}

export async function startKeyManagement(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<void> {
  const entities = [Workspace, ApiKey, AuditEntry];
  const migrations = [CreateTables1793000000000, CreateOutboxFailed1797000000000];
  const database = await openDatabase({ ...config, schema: 'key_management', entities, migrations }, host);
  const bus = await connectBus(config, host);
  const relay = OutboxRelay.start(database, new Publisher(bus), host);
  const workspaces = new Workspaces(database, host.clock);
  const keys = new Keys(database, relay, new KeyDigester(config.keyPeppers), host.clock);
  const module = {
    module: KeyManagement,
    controllers: [WorkspacesRpc, KeysRpc],
    providers: [
      { provide: Workspaces, useValue: workspaces },
      { provide: Keys, useValue: keys },
    ],
  };
  await serveOnBus(module, bus, config.natsUrl, host);
}
