// The process's connection to NATS for JetStream: publishing, consuming, and the streams themselves.
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { streams, type StreamSpec } from '@na/contracts';
import type { Host } from '@na/service-host';

export interface Bus {
  connection: NatsConnection;
  js: JetStreamClient;
  manager: JetStreamManager;
}

/** Options of every NATS connection here: it never gives up, and tells the server who it is. */
export function natsOptions(natsUrl: string, name: string) {
  const servers = natsUrl.split(',').map((url) => new URL(url.includes('://') ? url : `nats://${url}`));
  return {
    name,
    servers: servers.map((url) => url.host),
    user: decodeURIComponent(servers[0]!.username) || undefined,
    pass: decodeURIComponent(servers[0]!.password) || undefined,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    waitOnFirstConnect: true,
    // Else a second refusal in a row, as while a server reloads its users, closes the connection for good.
    ignoreAuthErrorAbort: true,
    // An empty object demands TLS; without one it is used where the server offers it.
    ...(servers.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
    // Without stack capture per request; nats.js says this "greatly" improves request-reply.
    noAsyncTraces: true,
  };
}

/** Connects, waits for JetStream, creates or updates the streams, and registers the closing. */
export async function connectBus(config: { natsUrl: string; streamReplicas: number }, host: Host): Promise<Bus> {
  const connection = await connectPatiently(config.natsUrl, host);
  watch(connection, host);
  host.addReadinessCheck({ name: 'bus', check: () => connection.flush() });
  const manager = await jetstreamManager(connection);
  for (const stream of Object.values(streams)) await ensureStream(manager, stream, config.streamReplicas);
  return { connection, js: jetstream(connection), manager };
}

/** Waits for a server that is not there yet, or refuses the credentials, and says so. */
async function connectPatiently(natsUrl: string, host: Host): Promise<NatsConnection> {
  const patience = setTimeout(() => host.logger.warn('the bus can not be reached or refuses the credentials; trying on'), 5_000);
  try {
    return await connect(natsOptions(natsUrl, host.name));
  } finally {
    clearTimeout(patience);
  }
}

/** Logs what becomes of the connection. It reconnects for ever, so that its end outside a stop is the end of the process. */
function watch(connection: NatsConnection, host: Host): void {
  let stopping = false;
  host.onStop('bus', () => {
    stopping = true;
    return connection.drain();
  });
  void logStatus(connection, host);
  void connection.closed().then((error) => {
    if (!stopping) host.fail(new Error('the connection to the bus was closed', { cause: error }));
  });
}

async function logStatus(connection: NatsConnection, { logger }: Host): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') logger.warn({ server: status.server }, 'the bus is gone');
    if (status.type === 'reconnect') logger.info({ server: status.server }, 'the bus is back');
    if (status.type === 'error') logger.warn({ err: status.error }, 'the bus reports an error');
  }
}

const nanosPerSecond = 1_000_000_000;

/** Replicas of services start at once and race here: adding what exists with the same configuration is not an error. */
async function ensureStream(manager: JetStreamManager, spec: StreamSpec, replicas: number): Promise<void> {
  const config = {
    name: spec.name,
    subjects: spec.subjects,
    num_replicas: replicas,
    max_age: spec.maxAgeHours * 3_600 * nanosPerSecond,
    duplicate_window: spec.duplicateWindowSeconds * nanosPerSecond,
  };
  const exists = await manager.streams.info(spec.name).then(
    () => true,
    () => false,
  );
  if (exists) await manager.streams.update(spec.name, config);
  else await manager.streams.add({ ...config, storage: 'file', retention: 'limits', discard: 'old' });
}
