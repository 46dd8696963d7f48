// A dispatcher inside the test, with what its tests do again and again.
import { join } from 'node:path';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { toBinary } from '@bufbuild/protobuf';
import { DeliveryService, EndpointService, EnvelopeSchema, ReplayService, eventSubject, newEvent, type Delivery, type Envelope } from '@na/contracts';
import { Logger } from '@nestjs/common';
import { createReplyKey } from '@na/messaging';
import { eventually, TestBed, type TestDatabase } from '@na/testing';
import pg from 'pg';
import { typeid } from 'typeid-js';
import { proxyUrl } from '../src/deliveries/proxy-url.js';
import { parseSealingKeys } from '../src/endpoints/secret-box.js';
import { parseCidrs } from '../src/endpoints/target-address.js';
import { startWebhookDispatcher } from '../src/start.js';

/** As an operator writes them. */
interface DispatcherSettings {
  allowedCidrs?: string[];
  sealingKeys?: string[];
  egressProxyUrl?: string;
}

interface EndpointOverrides {
  workspaceId?: string;
  eventTypes?: string[];
  timeoutMs?: number;
  maxInFlight?: number;
  maxAttempts?: number;
  ordered?: boolean;
}

export class DispatcherBed {
  /** Where the owners' mails come to lie. */
  readonly mailDir = join(process.env.NA_TEST_FOLDER!, `mail-${typeid('ws').toString()}`);
  readonly endpoints;
  readonly deliveries;
  readonly replays;
  /** Superuser, with the dispatcher's schema first. */
  readonly sql: pg.Client;
  private readonly running: { stop: () => Promise<void> }[] = [];

  private constructor(readonly bed: TestBed) {
    this.endpoints = bed.rpc.client(EndpointService);
    this.deliveries = bed.rpc.client(DeliveryService);
    this.replays = bed.rpc.client(ReplayService);
    this.sql = new pg.Client({ connectionString: bed.database.adminUrl, options: '-c search_path=webhook_dispatcher' });
  }

  static async start(wanted: DispatcherSettings = {}): Promise<DispatcherBed> {
    const dispatcher = await DispatcherBed.open();
    await dispatcher.startDispatcher(wanted);
    return dispatcher;
  }

  /** Only the bed: for tests whose dispatchers are processes of their own. */
  static async withoutDispatcher(database?: TestDatabase): Promise<DispatcherBed> {
    // A dispatcher inside the test would have put its own in the place of Nest's, which writes to the terminal.
    Logger.overrideLogger(false);
    return DispatcherBed.open(database);
  }

  private static async open(database?: TestDatabase): Promise<DispatcherBed> {
    const dispatcher = new DispatcherBed(await TestBed.start(database));
    // Where a test kills PostgreSQL, the connection ends with it.
    dispatcher.sql.on('error', () => undefined);
    await dispatcher.sql.connect();
    return dispatcher;
  }

  /** Another replica on the same database and bus. */
  async startDispatcher({ allowedCidrs = ['127.0.0.0/8'], sealingKeys = [sealingKey(1)], egressProxyUrl = '' }: DispatcherSettings = {}) {
    const host = this.bed.host('webhook-dispatcher');
    await startWebhookDispatcher(
      {
        ...this.bed.config('webhook-dispatcher'),
        webhookSealingKeys: parseSealingKeys(sealingKeys),
        webhookAllowedCidrs: parseCidrs(allowedCidrs),
        webhookEgressProxyUrl: proxyUrl.parse(egressProxyUrl),
        webhookRetentionDays: 30,
        webhookMaxInFlight: 100,
        webhookMaxInFlightPerEndpoint: 10,
        webhookMaxWaitingPerEndpoint: 100,
        webhookDisableAfterHours: 72,
        webhookDisableMinFailures: 20,
        smtpUrl: '',
        mailFrom: 'Test <test@example.com>',
        mailDir: this.mailDir,
        publicUrl: undefined,
      },
      host,
    );
    this.running.push(host);
    return host;
  }

  /** Stops every replica in an orderly way. */
  async stopDispatchers(): Promise<void> {
    for (const host of this.running.splice(0)) await host.stop();
  }

  /** A workspace of the test's own with one endpoint. */
  async createEndpoint(url: string, overrides: EndpointOverrides = {}) {
    const workspaceId = overrides.workspaceId ?? typeid('ws').toString();
    const replyKey = createReplyKey();
    const { endpoint, sealedSecret } = await this.endpoints.createEndpoint({
      caller: { workspaceId, actor: 'test' },
      url,
      eventTypes: overrides.eventTypes ?? ['*'],
      timeoutMs: overrides.timeoutMs,
      maxInFlight: overrides.maxInFlight,
      ordered: overrides.ordered,
      retryPolicy: { baseSeconds: 5, factor: 4, maxSeconds: 43_200, maxAttempts: overrides.maxAttempts ?? 12 },
      replyPublicKey: replyKey.publicKey,
    });
    return { workspaceId, endpointId: endpoint!.id, secret: replyKey.open(sealedSecret) };
  }

  /** An endpoint as it was made when the operator allowed more than now; before its workspace's first event. */
  async createEndpointAt(url: string): Promise<string> {
    const { workspaceId, endpointId } = await this.createEndpoint('https://example.com/');
    await this.sql.query('UPDATE endpoints SET url = $2 WHERE id = $1', [endpointId, url]);
    return workspaceId;
  }

  pageCreated(workspaceId: string): Envelope {
    const data = { pageId: typeid('page').toString(), url: 'https://example.com', title: 'A page' };
    return newEvent({ type: 'page.created', workspaceId, createdAt: this.bed.clock.now(), data });
  }

  /** @param id the message id; another one gets a repeated event past the stream's own check */
  async publish(event: Envelope, id = event.id): Promise<void> {
    await this.bed.publisher.publish({ subject: eventSubject(event.workspaceId, event.type), body: toBinary(EnvelopeSchema, event), id });
  }

  async list(workspaceId: string): Promise<Delivery[]> {
    return (await this.deliveries.listDeliveries({ caller: { workspaceId }, limit: 100 })).deliveries;
  }

  /** The only delivery of a workspace, once it is in the given state. */
  deliveryIn(workspaceId: string, status: string, attempts: number): Promise<Delivery> {
    return eventually(async () => {
      const [delivery] = await this.list(workspaceId);
      if (delivery?.status !== status || delivery.attempts !== attempts) throw new Error(`the delivery is ${delivery?.status} after ${delivery?.attempts} attempts`);
      return delivery;
    });
  }

  /** Resolves once the workspace has so many deliveries. */
  untilListed(workspaceId: string, count: number): Promise<Delivery[]> {
    return eventually(async () => {
      const deliveries = await this.list(workspaceId);
      if (deliveries.length !== count) throw new Error(`there are ${deliveries.length} deliveries`);
      return deliveries;
    });
  }

  /** The first delivery found in a state. */
  oneInState(workspaceId: string, status: string): Promise<Delivery> {
    return eventually(async () => {
      const found = (await this.list(workspaceId)).find((delivery) => delivery.status === status);
      if (!found) throw new Error(`no delivery is ${status}`);
      return found;
    });
  }

  /** Moves the clock to a retry, `earlyMs` before it. */
  moveTo(retry: Delivery, earlyMs = 0): void {
    this.bed.clock.set(new Date(timestampDate(retry.nextRetryAt!).getTime() - earlyMs));
  }

  async stop(): Promise<void> {
    await this.sql.end();
    await this.bed.stop();
  }
}

/** As WEBHOOK_SEALING_KEYS has it; each version has a key of its own. */
export function sealingKey(version: number): string {
  return `${version}:${Buffer.alloc(32, version).toString('base64')}`;
}
