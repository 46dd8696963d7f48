// What a test file stands on: a nats-server and a database of its own, and a host for starting services inside the test.
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { DeliverPolicy } from '@nats-io/jetstream';
import { EnvelopeSchema, streams, type Envelope, type EventType } from '@na/contracts';
import { startNats, type NatsServer, type ServiceName } from '@na/local-stack';
import { connectBus, Publisher, RpcChannel, type Bus } from '@na/messaging';
import { createHost, type Host } from '@na/service-host';
import { createTestDatabase, type TestDatabase } from './test-database.js';
import { TestClock } from './test-clock.js';

/** Set TEST_LOG_LEVEL=debug to see what the services under test say. */
const logLevel = process.env.TEST_LOG_LEVEL ?? 'fatal';

export class TestBed {
  private readonly closings: (() => Promise<void>)[] = [];

  private constructor(
    private server: NatsServer,
    readonly natsFolder: string,
    readonly database: TestDatabase,
    readonly clock: TestClock,
    readonly bus: Bus,
    readonly rpc: RpcChannel,
    readonly publisher: Publisher,
    private readonly own: ReturnType<typeof createHost>,
  ) {}

  /** @param given the database to stand on, which goes with the bed; without it, one on the PostgreSQL that all tests share */
  static async start(given?: TestDatabase): Promise<TestBed> {
    const natsFolder = await mkdtemp(join(process.env.NA_TEST_FOLDER!, 'nats-'));
    const [nats, database] = await Promise.all([startNats({ dataDir: natsFolder }), given ?? createTestDatabase()]);
    const clock = new TestClock();
    const own = createHost('test', logLevel, clock);
    const bus = await connectBus({ natsUrl: nats.url, streamReplicas: 1 }, own.host);
    const rpc = await RpcChannel.connect(nats.url, own.host);
    return new TestBed(nats, natsFolder, database, clock, bus, rpc, new Publisher(bus), own);
  }

  get natsUrl(): string {
    return this.server.url;
  }

  /** kill -9 of nats-server, and another on the same port and store. */
  async restartNats(): Promise<void> {
    await this.killNats();
    await this.startNatsAgain();
  }

  killNats(): Promise<void> {
    return this.server.kill();
  }

  async startNatsAgain(): Promise<void> {
    this.server = await startNats({ dataDir: this.natsFolder, port: this.server.port });
  }

  /** The settings that every service has. */
  config(service: ServiceName) {
    return {
      natsUrl: this.natsUrl,
      databaseUrl: this.database.urls[service],
      databasePoolSize: 5,
      streamReplicas: 1,
      healthPort: 0,
      healthHost: '127.0.0.1',
      logLevel,
      stopTimeoutSeconds: 10,
    };
  }

  /** A host whose services stop with the bed, or before by `stop`. */
  host(service: ServiceName): Host & { stop: () => Promise<void> } {
    const { host, close } = createHost(service, logLevel, this.clock);
    this.closings.push(close);
    return { ...host, stop: close };
  }

  /** The first event of a type in a workspace, published already or still to come. */
  async nextEvent(type: EventType, workspaceId: string): Promise<Envelope> {
    return (await this.firstEvents(1, type, workspaceId))[0]!;
  }

  /** As many of a type in a workspace, in the order in which they were published. */
  async firstEvents(count: number, type: EventType, workspaceId: string): Promise<Envelope[]> {
    const consumer = await this.bus.js.consumers.get(streams.events.name, {
      filter_subjects: `na.events.v1.${workspaceId}.${type}`,
      deliver_policy: DeliverPolicy.All,
    });
    const messages = await consumer.consume();
    const events: Envelope[] = [];
    for await (const message of messages) {
      events.push(fromBinary(EnvelopeSchema, message.data));
      if (events.length === count) return events;
    }
    throw new Error('The bus was closed before the event came.');
  }

  async stop(): Promise<void> {
    for (const close of this.closings.reverse()) await close();
    await this.own.close();
    await this.server.stop();
    await this.database.drop();
  }
}
