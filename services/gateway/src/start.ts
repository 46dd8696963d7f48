// Composition root of the gateway: the public API over HTTP, the other services over the bus.
import { hkdfSync, randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { connectBus, Publisher, RpcChannel, type Bus } from '@na/messaging';
import { openDatabase, type Config, type Host, type serviceSettings, type Started } from '@na/service-host';
import { Authentication } from './auth/authentication.js';
import { hearKeyChanges } from './auth/key-changes.js';
import { KeyUse } from './auth/key-use.js';
import { Lease } from './auth/lease.js';
import { OperatorToken } from './auth/operator-token.js';
import { Verdicts } from './auth/verdicts.js';
import { controllers } from './controllers.js';
import { Cursors } from './http/cursor.js';
import { Lists } from './http/lists.js';
import { Pipeline } from './http/pipeline.js';
import { PublicUrl } from './http/public-url.js';
import { serveHttp } from './http/server.js';
import { IdempotencyRecords } from './idempotency/idempotency-records.js';
import { Idempotency } from './idempotency/idempotency.js';
import { keepDeletingOldRecords } from './idempotency/old-records.js';
import { Leaks } from './keys/leaks.js';
import { FailedCredentials } from './limits/failed-credentials.js';
import { LeakReports } from './limits/leak-reports.js';
import { keepDeletingOldWindows } from './limits/old-windows.js';
import { RateLimits } from './limits/rate-limits.js';
import { RateWindowStore } from './limits/rate-window-store.js';
import { Reservations } from './limits/reservations.js';
import { CreateRateWindows1798000000000 } from './migrations/1798000000000-create-rate-windows.js';
import { CreateIdempotencyRecords1798100000000 } from './migrations/1798100000000-create-idempotency-records.js';
import { TellRateWindowsApart1798210000000 } from './migrations/1798210000000-tell-rate-windows-apart.js';
import { CountElsewhereApart1798310000000 } from './migrations/1798310000000-count-elsewhere-apart.js';
import { CarryWindowsOnce1798320000000 } from './migrations/1798320000000-carry-windows-once.js';
import { ApiDocument } from './openapi/api-document.js';
import { describeApi } from './openapi/document.js';
import { Services } from './services.js';
import type { settings } from './settings.js';
import { HitIntake } from './tracking/hit-intake.js';
import { KnownPages } from './tracking/known-pages.js';

@Module({})
class Gateway {}

const migrations = [
  CreateRateWindows1798000000000,
  CreateIdempotencyRecords1798100000000,
  TellRateWindowsApart1798210000000,
  CountElsewhereApart1798310000000,
  CarryWindowsOnce1798320000000,
];

export async function startGateway(config: Config<typeof settings> & Config<typeof serviceSettings>, host: Host): Promise<Started> {
  const publicUrl = config.publicUrl ?? `http://localhost:${config.port}`;
  const database = await openDatabase({ ...config, schema: 'gateway', entities: [], migrations, isEssential: false }, host);
  const bus = await connectBus(config, host);
  const services = new Services(await RpcChannel.connect(config.natsUrl, host));
  const lists = new Lists(new Cursors(subkey(config.cursorKey, 'cursors')));
  const intake = new HitIntake(new Publisher(bus), new KnownPages(services.pages, host), host.clock, subkey(config.cursorKey, 'visitors'));
  const verdicts = await openVerdicts(services, bus, host);
  const failures = new FailedCredentials(config.failedCredentialsPerMinute, host.clock);
  const authentication = new Authentication(verdicts, failures, new OperatorToken(config.operatorToken));
  const windows = new RateWindowStore(database);
  keepDeletingOldWindows(windows, host);
  const rateLimits = new RateLimits(new Reservations(windows, host.logger), host.clock);
  const quota = { limit: config.rateLimit, windowSeconds: config.rateLimitWindowSeconds };
  const pipeline = new Pipeline(authentication, rateLimits, KeyUse.start(services.keys, host), quota);
  const records = new IdempotencyRecords(database, host.clock);
  keepDeletingOldRecords(records, host);
  const idempotency = new Idempotency(records, host.logger);
  const module = {
    module: Gateway,
    controllers,
    providers: [
      { provide: Services, useValue: services },
      { provide: Lists, useValue: lists },
      { provide: Leaks, useValue: new Leaks(services.keys, new LeakReports(host.clock)) },
      { provide: HitIntake, useValue: intake },
      { provide: PublicUrl, useValue: new PublicUrl(publicUrl) },
      { provide: ApiDocument, useValue: new ApiDocument(describeApi(controllers, publicUrl)) },
    ],
  };
  return { httpPort: await serveHttp(module, { pipeline, idempotency }, { ...config, publicUrl }, host) };
}

/** What is remembered of keys: changes are heard before the lease begins under which it counts. */
async function openVerdicts(services: Services, bus: Bus, host: Host): Promise<Verdicts> {
  const gatewayId = randomUUID();
  const lease = new Lease(gatewayId, services.leases, () => verdicts.forgetAll(), host);
  const verdicts = new Verdicts(services.keys, host.clock, lease);
  await hearKeyChanges(bus, gatewayId, (change) => verdicts.apply(change), host);
  lease.start();
  return verdicts;
}

/** One configured key serves several purposes, none of which can be turned against another. */
function subkey(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', `na gateway ${purpose} v1`, 32));
}
