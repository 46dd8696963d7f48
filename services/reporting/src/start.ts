// Composition root: opens what reporting stands on, builds its parts and puts them on the bus.
import { connectBus, Publisher, serveOnBus } from '@na/messaging';
import { OutboxRelay } from '@na/outbox';
import { openDatabase, type Config, type Host, type serviceSettings } from '@na/service-host';
import { Goal } from './goals/goal.entity.js';
import { GoalsRpc } from './goals/goals.rpc.js';
import { Goals } from './goals/goals.js';
import { HitIntake } from './hits/hit-intake.js';
import { HitPartitions } from './hits/hit-partitions.js';
import { hitsConsumer } from './hits/hits.consumer.js';
import { CreatePagesGoalsHits1795500000000 } from './migrations/1795500000000-create-pages-goals-hits.js';
import { CreateOutboxFailed1797000000000 } from './migrations/1797000000000-create-outbox-failed.js';
import { SecureRows1797100000000 } from './migrations/1797100000000-secure-rows.js';
import { Page } from './pages/page.entity.js';
import { PagesRpc } from './pages/pages.rpc.js';
import { Pages } from './pages/pages.js';
import type { settings } from './settings.js';

class ReportingModule {}

export async function startReporting(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<void> {
  const migrations = [CreatePagesGoalsHits1795500000000, CreateOutboxFailed1797000000000, SecureRows1797100000000];
  const database = await openDatabase({ ...config, schema: 'reporting', entities: [Page, Goal], migrations }, host);
  const bus = await connectBus(config, host);
  const publisher = new Publisher(bus);
  const relay = OutboxRelay.start(database, publisher, host);

  const pages = new Pages(database, relay, host.clock);
  const goals = new Goals(database, pages, host.clock);
  const partitions = new HitPartitions(database);
  await partitions.makeAround(host.clock.now());
  const intake = new HitIntake(database, partitions, relay, host.clock);

  const module = {
    module: ReportingModule,
    controllers: [PagesRpc, GoalsRpc, hitsConsumer(config.hitBatchSize)],
    providers: [
      { provide: Pages, useValue: pages },
      { provide: Goals, useValue: goals },
      { provide: HitIntake, useValue: intake },
    ],
  };
  await serveOnBus(module, bus, config.natsUrl, host);
}
