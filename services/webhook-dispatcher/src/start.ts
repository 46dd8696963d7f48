// The dispatcher, put together: what is opened registers its closing on the next line.
import { WorkspaceService } from '@na/contracts';
import { connectBus, Publisher, RpcChannel, serveOnBus } from '@na/messaging';
import { OutboxRelay } from '@na/outbox';
import { openDatabase, type Config, type Host, type serviceSettings } from '@na/service-host';
import { AlertQueue } from './alerts/alert-queue.js';
import { AlertSender } from './alerts/alert-sender.js';
import { openMailTransport } from './alerts/mail-transport.js';
import { AppModule } from './app.module.js';
import { ByHand } from './deliveries/by-hand.js';
import { DeliveryTable } from './deliveries/delivery-table.js';
import { observeEvents } from './deliveries/delivery-gauges.js';
import { keepPartitions } from './deliveries/partitions.js';
import { startPipeline } from './deliveries/pipeline.js';
import { Replica } from './deliveries/replica.js';
import { ReplicaCalls } from './deliveries/replica-calls.js';
import { Sender } from './deliveries/send.js';
import { lifetimeMs } from './deliveries/subscriptions.js';
import { Endpoint } from './endpoints/endpoint.entity.js';
import { EndpointStore } from './endpoints/endpoint-store.js';
import { Endpoints } from './endpoints/endpoints.js';
import { LeftOverDeliveries } from './endpoints/left-over-deliveries.js';
import { endpointProviders } from './endpoints/providers.js';
import { resealSecrets } from './endpoints/resealing.js';
import { SecretBox } from './endpoints/secret-box.js';
import { EndpointHealthKeeper } from './health/endpoint-health-keeper.js';
import { Foundation1780000000000 } from './migrations/1780000000000-foundation.js';
import { EndpointSettingsHealthReplays1796000000000 } from './migrations/1796000000000-endpoint-settings-health-replays.js';
import { OutboxAndAlerts1796100000000 } from './migrations/1796100000000-outbox-and-alerts.js';
import { ReplayPace1796200000000 } from './migrations/1796200000000-replay-pace.js';
import { EventsForOneEndpoint1796300000000 } from './migrations/1796300000000-events-for-one-endpoint.js';
import { DeliveriesInGroups1796400000000 } from './migrations/1796400000000-deliveries-in-groups.js';
import { DisabledSince1796500000000 } from './migrations/1796500000000-disabled-since.js';
import { RepeatedRequests1796650000000 } from './migrations/1796650000000-repeated-requests.js';
import { Replay } from './replays/replay.entity.js';
import { ReplayLoop } from './replays/replay-loop.js';
import { ReplayStore } from './replays/replay-store.js';
import { Replays } from './replays/replays.js';
import type { settings } from './settings.js';

export async function startWebhookDispatcher(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<void> {
  const { clock } = host;
  const migrations = [
    Foundation1780000000000,
    EndpointSettingsHealthReplays1796000000000,
    OutboxAndAlerts1796100000000,
    ReplayPace1796200000000,
    EventsForOneEndpoint1796300000000,
    DeliveriesInGroups1796400000000,
    DisabledSince1796500000000,
    RepeatedRequests1796650000000,
  ];
  const database = await openDatabase({ ...config, schema: 'webhook_dispatcher', entities: [Endpoint, Replay], migrations }, host);
  await keepPartitions(database, host, config.webhookRetentionDays);
  const bus = await connectBus(config, host);

  const secrets = new SecretBox(config.webhookSealingKeys);
  await resealSecrets(database, secrets, host.logger);
  const replica = await Replica.join(config.databaseUrl, database, host);
  const calls = new ReplicaCalls(bus.connection, replica, lifetimeMs, host.logger);
  host.onStop('replica calls', () => calls.close());
  const sender = new Sender({ allowed: config.webhookAllowedCidrs, proxy: config.webhookEgressProxyUrl });
  host.onStop('sender', () => sender.close());
  const limits = {
    maxInFlight: config.webhookMaxInFlight,
    maxInFlightPerEndpoint: config.webhookMaxInFlightPerEndpoint,
    maxWaitingPerEndpoint: config.webhookMaxWaitingPerEndpoint,
  };
  const relay = OutboxRelay.start(database, new Publisher(bus), host);
  const owners = (await RpcChannel.connect(config.natsUrl, host)).client(WorkspaceService);
  const alerts = AlertSender.start(new AlertQueue(database), owners, openMailTransport(config, host), host);
  const policy = { disableAfterMs: config.webhookDisableAfterHours * 3_600_000, minFailedAttempts: config.webhookDisableMinFailures };
  const tellOf = ({ id, workspaceId }: { id: string; workspaceId: string }) => calls.tell({ about: 'endpoint', workspaceId, endpointId: id });
  const health = new EndpointHealthKeeper(policy, clock, host.logger, (signals) => {
    relay.wake();
    alerts.wake();
    for (const { endpoint, signal } of signals) if (signal.kind === 'disabled') void tellOf(endpoint);
  });
  const pipeline = await startPipeline({ database, secrets, replica, calls, send: sender.send, health, limits }, host);

  const endpointStore = new EndpointStore(database, tellOf);
  const endpoints = new Endpoints(endpointStore, LeftOverDeliveries.start(database, host), secrets, clock);
  const endpointParts = { database, store: endpointStore, endpoints, sealingKeys: config.webhookSealingKeys, secrets, clock, wake: pipeline.wake };
  const replayStore = new ReplayStore(database);
  const replayLoop = new ReplayLoop(replayStore, pipeline.wake, clock, host.logger);
  replayLoop.start();
  host.onStop('replay loop', () => replayLoop.stop());
  const replays = new Replays(database, replayStore, endpoints, clock, () => replayLoop.wake());
  const byHand = new ByHand(database, clock, pipeline.wake, (endpointId, deliveryId) => calls.tell({ about: 'delivery', endpointId, deliveryId }));

  await serveOnBus(AppModule.over(endpointProviders(endpointParts), new DeliveryTable(database, clock), pipeline.fanOut, byHand, replays), bus, config.natsUrl, host);
  observeEvents(bus, host);
}
