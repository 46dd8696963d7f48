// Tell others what changed, in the same transaction as the change.
export * from './outbox.js';
export * from './outbox-relay.js';
