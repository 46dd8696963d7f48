// The contracts between the services: messages generated from proto/, the subjects they travel on, the event
// types, the scopes of keys, the form of the addresses they may be used from.
export * from './gen/events/v1/envelope_pb.js';
export * from './gen/events/v1/exports_pb.js';
export * from './gen/events/v1/goals_pb.js';
export * from './gen/events/v1/insights_pb.js';
export * from './gen/events/v1/keys_pb.js';
export * from './gen/events/v1/pages_pb.js';
export * from './gen/events/v1/reports_pb.js';
export * from './gen/events/v1/traffic_pb.js';
export * from './gen/events/v1/webhooks_pb.js';
export * from './gen/hits/v1/hit_pb.js';
export * from './gen/keys/v1/changes_pb.js';
export * from './gen/keys/v1/keys_pb.js';
export * from './gen/reporting/v1/goals_pb.js';
export * from './gen/reporting/v1/pages_pb.js';
export * from './gen/rpc/v1/rpc_pb.js';
export * from './gen/webhooks/v1/deliveries_pb.js';
export * from './gen/webhooks/v1/endpoints_pb.js';
export * from './gen/webhooks/v1/replays_pb.js';
export * from './address-range.js';
export * from './etag.js';
export * from './event-examples.js';
export * from './events.js';
export * from './json-schema.js';
export * from './public-json.js';
export * from './scopes.js';
export * from './subjects.js';
