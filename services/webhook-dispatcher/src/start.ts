// The dispatcher, put together: what is opened registers its closing on the next line.
import { streams, WorkspaceService } from '@na/contracts';
import { connectBus, Publisher, RpcChannel, serveOnBus } from '@na/messaging';
import { OutboxRelay } from '@na/outbox';
import type { Config, Host, serviceSettings } from '@na/service-host';
import { AlertQueue } from './alerts/alert-queue.js';
import { AlertSender } from './alerts/alert-sender.js';
import { openMailTransport } from './alerts/mail-transport.js';
import { AppModule } from './app.module.js';
import { Counting } from './counting.js';
import { openDatabases } from './database.js';
import { ByHand } from './deliveries/by-hand.js';
import { DeliveryTable } from './deliveries/delivery-table.js';
import { planPages } from './deliveries/delivery-page.js';
import { observeEvents } from './deliveries/delivery-gauges.js';
import { HostLookup } from './deliveries/host-lookup.js';
import { keepPartitions } from './deliveries/partitions.js';
import { startPipeline } from './deliveries/pipeline.js';
import { Replica } from './deliveries/replica.js';
import { ReplicaCalls } from './deliveries/replica-calls.js';
import { Sender } from './deliveries/send.js';
import { lifetimeMs } from './deliveries/subscriptions.js';
import { EndpointStore } from './endpoints/endpoint-store.js';
import { Endpoints } from './endpoints/endpoints.js';
import { LeftOverDeliveries } from './endpoints/left-over-deliveries.js';
import { endpointProviders } from './endpoints/providers.js';
import { resealSecrets } from './endpoints/resealing.js';
import { SecretBox } from './endpoints/secret-box.js';
import { EndpointHealthKeeper } from './health/endpoint-health-keeper.js';
import { ReplayLoop } from './replays/replay-loop.js';
import { ReplayStore } from './replays/replay-store.js';
import { Replays } from './replays/replays.js';
import type { settings } from './settings.js';

export async function startWebhookDispatcher(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<void> {
  const { clock } = host;
  const { database, everywhere } = await openDatabases(config, host);
  await keepPartitions(everywhere, host, config.webhookRetentionDays, () => planPages(database, host.logger));
  const bus = await connectBus(config, host);

  const secrets = new SecretBox(config.webhookSealingKeys);
  await resealSecrets(everywhere, secrets, host.logger);
  const replica = await Replica.join(config.databaseUrl, everywhere, host);
  const calls = new ReplicaCalls(bus.connection, replica, lifetimeMs, host.logger);
  host.onStop('replica calls', () => calls.close());
  const sender = new Sender({ allowed: config.webhookAllowedCidrs, proxy: config.webhookEgressProxyUrl, hosts: new HostLookup() });
  host.onStop('sender', () => sender.close());
  const limits = {
    maxInFlight: config.webhookMaxInFlight,
    maxInFlightPerEndpoint: config.webhookMaxInFlightPerEndpoint,
    maxWaitingPerEndpoint: config.webhookMaxWaitingPerEndpoint,
  };
  const relay = OutboxRelay.start(everywhere, new Publisher(bus), host);
  const owners = (await RpcChannel.connect(config.natsUrl, host)).client(WorkspaceService);
  const alerts = AlertSender.start(new AlertQueue(everywhere), owners, openMailTransport(config, host), host, config.publicUrl);
  const policy = { disableAfterMs: config.webhookDisableAfterHours * 3_600_000, minFailedAttempts: config.webhookDisableMinFailures };
  const tellOf = ({ id, workspaceId }: { id: string; workspaceId: string }) => calls.tell({ about: 'endpoint', workspaceId, endpointId: id });
  const health = new EndpointHealthKeeper(policy, clock, host.logger, (signals) => {
    relay.wake();
    alerts.wake();
    for (const { endpoint, signal } of signals) if (signal.kind === 'disabled' || signal.kind === 'paused') void tellOf(endpoint);
  });
  const lastSequence = async () => (await bus.manager.streams.info(streams.events.name)).state.last_seq;
  const pipeline = await startPipeline({ everywhere, secrets, replica, calls, send: sender.send, health, limits, lastSequence }, host);

  const counting = new Counting(database);
  const endpointStore = new EndpointStore(database, tellOf);
  const endpoints = new Endpoints(endpointStore, LeftOverDeliveries.start({ database, everywhere }, host), secrets, config.webhookAllowedCidrs, clock);
  const endpointParts = { database, store: endpointStore, endpoints, sealingKeys: config.webhookSealingKeys, secrets, counting, clock, wake: pipeline.wake, attemptFirst: pipeline.attemptFirst, direct: pipeline.direct };
  const replayLoop = new ReplayLoop(new ReplayStore(everywhere), pipeline.wake, clock, host.logger);
  replayLoop.start();
  host.onStop('replay loop', () => replayLoop.stop());
  const replays = new Replays(database, endpoints, counting, clock, () => replayLoop.wake());
  const byHand = new ByHand(database, clock, calls, pipeline.attemptFirst, host.logger);

  await serveOnBus(AppModule.over(endpointProviders(endpointParts), new DeliveryTable(database, clock), pipeline.fanOut, byHand, replays), bus, config.natsUrl, host);
  observeEvents(bus, host);
}
