// Composition root of the gateway: the public API over HTTP, the other services over the bus.
import { hkdfSync } from 'node:crypto';
import { Module } from '@nestjs/common';
import { connectBus, Publisher, RpcChannel } from '@na/messaging';
import type { Config, Host, serviceSettings, Started } from '@na/service-host';
import { OperatorToken } from './auth/operator-token.js';
import { Verdicts } from './auth/verdicts.js';
import { GoalsController } from './goals/goals.controller.js';
import { Cursors } from './http/cursor.js';
import { Lists } from './http/lists.js';
import { Pipeline } from './http/pipeline.js';
import { ProblemsController } from './http/problems.controller.js';
import { PublicUrl } from './http/public-url.js';
import { serveHttp } from './http/server.js';
import { KeysController } from './keys/keys.controller.js';
import { PagesController } from './pages/pages.controller.js';
import { Services } from './services.js';
import type { settings } from './settings.js';
import { HitIntake } from './tracking/hit-intake.js';
import { TrackingController } from './tracking/tracking.controller.js';
import { DeliveriesController } from './webhooks/deliveries.controller.js';
import { EventTypesController } from './webhooks/event-types.controller.js';
import { ReplaysController } from './webhooks/replays.controller.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { WorkspacesController } from './workspaces/workspaces.controller.js';

@Module({})
class Gateway {}

const controllers = [
  WorkspacesController,
  KeysController,
  PagesController,
  GoalsController,
  TrackingController,
  WebhooksController,
  DeliveriesController,
  ReplaysController,
  EventTypesController,
  ProblemsController,
];

export async function startGateway(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<Started> {
  const publicUrl = config.publicUrl ?? `http://localhost:${config.port}`;
  const bus = await connectBus(config, host);
  const services = new Services(await RpcChannel.connect(config.natsUrl, host));
  const lists = new Lists(new Cursors(subkey(config.cursorKey, 'cursors')));
  const intake = new HitIntake(new Publisher(bus), host.clock, subkey(config.cursorKey, 'visitors'));
  const pipeline = new Pipeline(new Verdicts(services.keys, host.clock), new OperatorToken(config.operatorToken));
  const module = {
    module: Gateway,
    controllers,
    providers: [
      { provide: Services, useValue: services },
      { provide: Lists, useValue: lists },
      { provide: HitIntake, useValue: intake },
      { provide: PublicUrl, useValue: new PublicUrl(publicUrl) },
    ],
  };
  return { httpPort: await serveHttp(module, pipeline, { ...config, publicUrl }, host) };
}

/** One configured key serves several purposes, none of which can be turned against another. */
function subkey(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', `na gateway ${purpose} v1`, 32));
}
