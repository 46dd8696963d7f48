// How RPC looks on the wire, as the serializers that Nest's NATS transport takes. A request is the bare bytes of its
// protobuf message, a reply the bytes of `rpc.v1.Reply`: a client in any language needs NATS and protobuf, not Nest.
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import type { NatsRecord } from '@nestjs/microservices';

/** Header with the moment, in Unix milliseconds, after which the caller no longer waits. */
export const deadlineHeader = 'na-deadline';

export const requestSerializer = {
  serialize: ({ data }: { data: NatsRecord<Uint8Array, MsgHdrs> }) => ({ data: data.data, headers: data.headers }),
};

/** The reply inbox is unique to the request, so the packet id that Nest asks for carries nothing. */
export const requestDeserializer = {
  deserialize: (message: Msg) => ({ id: 'rpc', pattern: message.subject, data: message.data }),
};

export const replySerializer = {
  serialize: ({ response }: { response?: Uint8Array }) => ({ data: response ?? new Uint8Array() }),
};

export const replyDeserializer = {
  deserialize: (message: Msg) => ({ response: message.data, isDisposed: true }),
};
