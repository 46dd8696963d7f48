// Typed RPC clients: `channel.client(KeyService).verifyKey({…})` over Nest's NATS client, with a deadline.
import { create, fromBinary, toBinary, type DescMessage, type DescMethodUnary, type DescService, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { ClientNats, NatsRecord } from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import { ReplySchema, rpcSubject } from '@na/contracts';
import { isErrorCode, ServiceError } from '@na/service-error';
import type { Host } from '@na/service-host';
import { firstValueFrom, timeout, TimeoutError } from 'rxjs';
import { natsOptions } from './bus.js';
import { deadlineHeader, replyDeserializer, requestSerializer } from './rpc-wire.js';
import { inSpan, traceHeaders } from './trace-headers.js';

/** One async function per method of the proto service. */
export type RpcClient<S extends DescService> = {
  [K in keyof S['method']]: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : never;
};

export interface CallOptions {
  /** How long to wait for the reply, in milliseconds; 5,000 unless told. */
  timeoutMs?: number;
  /**
   * How long the callee may still begin with it, in milliseconds; as long as is waited for the reply unless told. For calls with
   * a wait so short that clocks which are a little apart would make every one of them late.
   */
  deadlineMs?: number;
}

const defaultTimeoutMs = 5_000;

export class RpcChannel {
  private constructor(private readonly nats: ClientNats) {}

  static async connect(natsUrl: string, host: Host): Promise<RpcChannel> {
    const nats = new ClientNats({
      ...natsOptions(natsUrl, `${host.name} rpc client`),
      serializer: requestSerializer,
      deserializer: replyDeserializer,
    });
    await nats.connect();
    host.onStop('rpc client', () => nats.close());
    return new RpcChannel(nats);
  }

  client<S extends DescService>(service: S): RpcClient<S> {
    const calls = service.methods.map((method) => [method.localName, (request: never, options?: CallOptions) => this.call(method as DescMethodUnary, request, options)]);
    return Object.fromEntries(calls) as RpcClient<S>;
  }

  /** @throws ServiceError with the callee's code, or `deadline_exceeded`, or `unavailable` when nobody answers */
  async call<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>, request: MessageInitShape<I>, options: CallOptions = {}): Promise<MessageShape<O>> {
    const { timeoutMs = defaultTimeoutMs, deadlineMs = timeoutMs } = options;
    const attributes = { 'rpc.system': 'nats', 'rpc.service': method.parent.typeName, 'rpc.method': method.name };
    return inSpan({ name: `${method.parent.typeName}/${method.name}`, kind: SpanKind.CLIENT, attributes }, async () => {
      const body = toBinary(method.input, create(method.input, request));
      return unframe(method, await this.request(rpcSubject(method), body, { timeoutMs, deadlineMs }));
    });
  }

  private async request(subject: string, body: Uint8Array, { timeoutMs, deadlineMs }: Required<CallOptions>): Promise<Uint8Array> {
    const headers = traceHeaders();
    headers.set(deadlineHeader, String(Date.now() + deadlineMs));
    try {
      return await firstValueFrom(this.nats.send<Uint8Array>(subject, new NatsRecord(body, headers)).pipe(timeout(timeoutMs)));
    } catch (error) {
      if (error instanceof TimeoutError) throw new ServiceError('deadline_exceeded', 'The service did not answer in time. Try again.', { cause: error });
      throw new ServiceError('unavailable', 'The service can not be reached right now. Try again.', { cause: error });
    }
  }
}

function unframe<O extends DescMessage>(method: DescMethodUnary<DescMessage, O>, bytes: Uint8Array): MessageShape<O> {
  const { outcome } = fromBinary(ReplySchema, bytes);
  switch (outcome.case) {
    case 'response':
      return fromBinary(method.output, outcome.value);
    case 'error': {
      const { code, message, fields } = outcome.value;
      throw new ServiceError(isErrorCode(code) ? code : 'internal', message, { fields });
    }
    default:
      throw new ServiceError('internal', `${method.name} answered nothing.`);
  }
}
