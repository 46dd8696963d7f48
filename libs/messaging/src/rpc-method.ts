// `@RpcMethod(Service.method.name)` makes a controller method answer that RPC: the method gets the decoded request and
// returns the reply. What it throws becomes a code and a message; a stack never leaves the process.
import { create, fromBinary, toBinary, type DescMessage, type DescMethodUnary, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { Logger } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, Transport, type NatsContext } from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import { ReplySchema, rpcSubject } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import type { MsgHdrs } from '@nats-io/transport-node';
import { deadlineHeader } from './rpc-wire.js';
import { inSpan, traceOf } from './trace-headers.js';

type Handler<I extends DescMessage, O extends DescMessage> = (request: MessageShape<I>) => Promise<MessageInitShape<O>>;

export function RpcMethod<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>) {
  const logger = new Logger(method.parent.typeName);
  // Generic in the method's own type: a descriptor takes no narrower reply than it declares.
  return <H extends Handler<I, O>>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<H>): void => {
    const handle: Handler<I, O> = descriptor.value!;
    const answer = async function (this: unknown, body: Uint8Array, context: NatsContext): Promise<Uint8Array> {
      const headers = context.getHeaders() as MsgHdrs | undefined;
      try {
        refuseIfLate(headers);
        const attributes = { 'rpc.system': 'nats', 'rpc.service': method.parent.typeName, 'rpc.method': method.name };
        const response = await inSpan({ name: `${method.parent.typeName}/${method.name}`, kind: SpanKind.SERVER, attributes, parent: traceOf(headers) }, async () =>
          create(method.output, await handle.call(this, decode(method, body))),
        );
        return frame({ case: 'response', value: toBinary(method.output, response) });
      } catch (thrown) {
        const error = ServiceError.from(thrown);
        if (error.code === 'internal') logger.error(error.cause instanceof Error ? (error.cause.stack ?? error.cause) : error);
        return frame({ case: 'error', value: { code: error.code, message: error.message, fields: error.fields } });
      }
    };
    descriptor.value = answer as unknown as H;
    // Unless told, Nest hands over the payload only.
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
    MessagePattern(rpcSubject(method), Transport.NATS)(target, key, descriptor);
  };
}

function decode<I extends DescMessage>(method: DescMethodUnary<I>, body: Uint8Array): MessageShape<I> {
  try {
    return fromBinary(method.input, body);
  } catch (error) {
    throw new ServiceError('invalid_request', `The request is not a valid ${method.input.typeName}.`, { cause: error });
  }
}

/** Work for a caller who has given up only delays those who still wait. Assumes clocks within a second of each other. */
function refuseIfLate(headers: MsgHdrs | undefined): void {
  const deadline = Number(headers?.get(deadlineHeader) || Infinity);
  if (Date.now() > deadline) throw new ServiceError('deadline_exceeded', 'The request arrived after its deadline.');
}

function frame(outcome: NonNullable<MessageInitShape<typeof ReplySchema>['outcome']>): Uint8Array {
  return toBinary(ReplySchema, create(ReplySchema, { outcome }));
}
