// NATS for the services: RPC on request-reply, events on JetStream, the trace on both.
export * from './bus.js';
export * from './consumer-spec.js';
export * from './jetstream-server.js';
export * from './publisher.js';
export * from './rpc-bounds.js';
export * from './rpc-client.js';
export * from './rpc-method.js';
export * from './rpc-server.js';
export * from './sealed-reply.js';
export * from './serve-on-bus.js';
export * from './settlement.js';
export * from './trace-headers.js';
