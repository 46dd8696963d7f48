/** Opens the parts of the system: PostgreSQL, NATS and the services, or the servers that the settings name instead. */
import { join } from 'node:path';
import { logFolder, natsFolder, postgresFolder } from './data-folder.ts';
import { startNats } from './nats.ts';
import { startPostgres } from './postgres.ts';
import type { Say } from './progress.ts';
import { ensureDatabase } from './provision.ts';
import { runService, type ReadyMessage } from './service-process.ts';
import type { ServiceSpec } from './services.ts';
import type { Settings } from './settings.ts';

/** A running part of the system, and the two ways to end it. */
export interface Opened {
  close(): Promise<void>;
  kill(): Promise<void>;
}

export interface Surroundings {
  settings: Settings;
  /** Where each part is noted as soon as it runs. */
  opened: Opened[];
  say: Say;
  /** Told when a server ends that nobody stopped. */
  onBroken: (error: Error) => void;
}

const databaseName = 'notion_analytics';

/** Returns the URL of the database for a user who may create roles. */
export async function openDatabase({ settings, opened, say, onBroken }: Surroundings): Promise<string> {
  if (settings.databaseUrl !== undefined) {
    say(`PostgreSQL at ${withoutSecrets(settings.databaseUrl)}, as DATABASE_URL says`);
    return settings.databaseUrl;
  }
  const server = await startPostgres({ dataDir: postgresFolder(settings.dataDir), say });
  opened.push(watched('PostgreSQL', server, onBroken));
  say(`PostgreSQL ${server.version} ready on port ${server.port}`);
  return ensureDatabase(server.url, databaseName);
}

export async function openNats({ settings, opened, say, onBroken }: Surroundings): Promise<string> {
  if (settings.natsUrl !== undefined) {
    say(`NATS at ${withoutSecrets(settings.natsUrl)}, as NATS_URL says`);
    return settings.natsUrl;
  }
  const server = await startNats({ dataDir: natsFolder(settings.dataDir), say });
  opened.push(watched('nats-server', server, onBroken));
  say(`nats-server ${server.version} ready on port ${server.port}`);
  return server.url;
}

/** Returns the gateway's URL once every service is ready. */
export async function openServices({ settings, opened, say }: Surroundings, specs: ServiceSpec[]): Promise<string> {
  const services = specs.map((spec) => ({ spec, process: runService(spec, join(logFolder(settings.dataDir), `${spec.name}.log`), say) }));
  opened.push({
    close: async () => void (await Promise.all(services.map(({ process }) => process.stop()))),
    kill: async () => services.forEach(({ process }) => process.kill()),
  });
  const ready = await Promise.all(
    services.map(async ({ spec, process }) => {
      const message = await process.ready;
      say(`${spec.name} ready${portsOf(message)}`);
      return message.httpPort;
    }),
  );
  return `http://127.0.0.1:${ready.find((port) => port !== undefined)}`;
}

interface Server {
  logFile: string;
  exited: Promise<string>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

function watched(name: string, server: Server, onBroken: (error: Error) => void): Opened {
  let isClosing = false;
  void server.exited.then((how) => isClosing || onBroken(new Error(`${name} ended by itself (${how}); its log is ${server.logFile}`)));
  const ended = (end: () => Promise<void>) => () => {
    isClosing = true;
    return end();
  };
  return { close: ended(() => server.stop()), kill: ended(() => server.kill()) };
}

function portsOf({ httpPort, healthPort }: ReadyMessage): string {
  return httpPort === undefined ? ` (health on port ${healthPort})` : ` on port ${httpPort} (health on port ${healthPort})`;
}

function withoutSecrets(urls: string): string {
  return urls
    .split(',')
    .map((url) => URL.parse(url.trim())?.host)
    .join(', ');
}
