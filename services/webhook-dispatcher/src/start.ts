// The dispatcher, put together: what is opened registers its closing on the next line.
import { connectBus, serveOnBus } from '@na/messaging';
import { openDatabase, type Config, type Host, type serviceSettings } from '@na/service-host';
import { AppModule } from './app.module.js';
import { deliver } from './deliveries/deliver.js';
import { DeliveryStore } from './deliveries/delivery-store.js';
import { DeliveryTable } from './deliveries/delivery-table.js';
import { DueLoop } from './deliveries/due-loop.js';
import { FanOut } from './deliveries/fan-out.js';
import { Lanes } from './deliveries/lanes.js';
import { keepPartitionsAhead } from './deliveries/partitions.js';
import { Recorder } from './deliveries/recorder.js';
import { Replica } from './deliveries/replica.js';
import { Sender } from './deliveries/send.js';
import { Endpoint } from './endpoints/endpoint.entity.js';
import { Endpoints } from './endpoints/endpoints.js';
import { SecretBox } from './endpoints/secret-box.js';
import { Foundation1780000000000 } from './migrations/1780000000000-foundation.js';
import { EndpointSettingsHealthReplays1796000000000 } from './migrations/1796000000000-endpoint-settings-health-replays.js';
import type { settings } from './settings.js';

export async function startWebhookDispatcher(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<void> {
  const { clock, logger } = host;
  const migrations = [Foundation1780000000000, EndpointSettingsHealthReplays1796000000000];
  const database = await openDatabase({ ...config, schema: 'webhook_dispatcher', entities: [Endpoint], migrations }, host);
  await keepPartitionsAhead(database, host);
  const bus = await connectBus(config, host);

  const secrets = new SecretBox(config.webhookSealingKeys);
  const replica = await Replica.join(config.databaseUrl, database, host);
  const store = new DeliveryStore(database, secrets, replica.number);
  const sender = new Sender(config.webhookAllowedCidrs, config.webhookMaxInFlightPerEndpoint);
  host.onStop('sender', () => sender.close());

  const recorder = new Recorder(async (batch) => {
    await store.record(batch);
    for (const { next } of batch) if (next.kind === 'retry') dueLoop.expect(next.at);
  }, logger);
  host.onStop('recorder', () => recorder.drain());
  const lanes: Lanes = new Lanes(
    { maxInFlight: config.webhookMaxInFlightPerEndpoint, maxWaiting: config.webhookMaxWaitingPerEndpoint },
    (delivery) => deliver(delivery, { send: sender.send, record: (attempted) => recorder.record(attempted), clock, random: Math.random, logger }),
    clock,
  );
  host.onStop('lanes', async () => store.release(await lanes.stop(), clock.now()));

  const dueLoop = new DueLoop(store, replica, lanes, clock, logger);
  dueLoop.start();
  host.onStop('due loop', () => dueLoop.stop());

  const endpoints = new Endpoints(database, secrets, clock);
  await serveOnBus(AppModule.over(endpoints, new DeliveryTable(database), new FanOut(store, lanes, clock)), bus, config.natsUrl, host);
}
