/** A real PostgreSQL and a real nats-server for this machine, for the launcher, the tests and the benchmarks. */
export { findNatsServer, type NatsBinary } from './nats-binary.ts';
export { startNats, type NatsOptions, type NatsServer } from './nats.ts';
export { startPostgres, type PostgresOptions, type PostgresServer } from './postgres.ts';
export { freePort } from './ports.ts';
export { ensureDatabase, provision, serviceNames, type ServiceName } from './provision.ts';
export { serviceSpecs, type ServiceSpec } from './services.ts';
