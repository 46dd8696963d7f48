// A gateway as key-management sees it: holds a lease, and says that it has applied a change when the test lets it.
import { fromBinary, create, toBinary } from '@bufbuild/protobuf';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { applyKeyChangeSubject, KeyChangeAppliedSchema, KeyChangedSchema, type KeyChanged } from '@na/contracts';
import type { KeyManagementBed } from './key-management.bed.js';

let count = 0;

export class FakeGateway {
  readonly gatewayId = `gateway-${process.pid}-${++count}`;
  readonly asked: KeyChanged[] = [];
  private waiting: (() => void)[] = [];

  private constructor(
    private readonly service: KeyManagementBed,
    private readonly subscription: Subscription,
  ) {}

  /** @param answer called with each question */
  static async start(service: KeyManagementBed, answer: (gateway: FakeGateway, question: Msg) => void): Promise<FakeGateway> {
    const subscription = service.bed.bus.connection.subscribe(applyKeyChangeSubject, {
      callback: (_error, question) => {
        gateway.asked.push(fromBinary(KeyChangedSchema, question.data));
        answer(gateway, question);
        for (const tell of gateway.waiting.splice(0)) tell();
      },
    });
    const gateway = new FakeGateway(service, subscription);
    await service.bed.bus.connection.flush();
    await gateway.renew();
    return gateway;
  }

  async renew(): Promise<void> {
    await this.service.leases.renewLease({ gatewayId: this.gatewayId });
  }

  applied(question: Msg): void {
    question.respond(toBinary(KeyChangeAppliedSchema, create(KeyChangeAppliedSchema, { gatewayId: this.gatewayId })));
  }

  async askedTimes(times: number): Promise<void> {
    while (this.asked.length < times) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Milliseconds by the database's clock; negative once it is over, undefined when there is none. */
  async leaseLeftMs(): Promise<number | undefined> {
    const { rows } = await this.service.sql.query<{ ms: number }>(
      `SELECT (extract(epoch FROM leased_until - clock_timestamp()) * 1000)::float8 AS ms FROM gateway_leases WHERE gateway_id = $1`,
      [this.gatewayId],
    );
    return rows[0]?.ms;
  }

  async stop(): Promise<void> {
    this.subscription.unsubscribe();
    await this.service.leases.endLease({ gatewayId: this.gatewayId });
  }
}
