// What tests stand on: real servers, a clock that can be moved, a customer's server that can misbehave.
export * from './certificate.js';
export * from './connect-proxy.js';
export * from './durable-database.js';
export * from './eventually.js';
export * from './name-server.js';
export * from './receiver-faults.js';
export * from './row-security.js';
export * from './telemetry-collector.js';
export * from './test-bed.js';
export * from './test-clock.js';
export * from './test-database.js';
export * from './test-system.js';
export * from './webhook-receiver.js';
