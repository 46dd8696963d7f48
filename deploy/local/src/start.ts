/** `npm start`: the whole system on this machine, until somebody stops it. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { announce } from './announce.ts';
import { build } from './build.ts';
import { mailFolder, takeDataFolder } from './data-folder.ts';
import { holdGatewayPort } from './gateway-port.ts';
import { settingNames, withOperatorSettings } from './operator-settings.ts';
import { say } from './progress.ts';
import { provision } from './provision.ts';
import { hasSample, showSample, type Sample, type SampleOptions } from './sample.ts';
import { loadOperatorToken, loadSecrets } from './secrets.ts';
import { openDatabase, openNats, openServices, type Opened } from './open.ts';
import { serviceSpecs, type ServiceSpec } from './services.ts';
import { readSettings, type Settings } from './settings.ts';
import { stopRequests } from './stop-requests.ts';

/** In the order of opening; closed in reverse. */
const opened: Opened[] = [];
const broken = Promise.withResolvers<never>();
// Something may break while nobody listens yet.
broken.promise.catch(() => {});

const stop = stopRequests();
void stop.repeated.then(killEverything);
try {
  // A stop while things are opening does not wait for them: whatever opens later is stopped by its guard or its channel.
  const reason = await Promise.race([stop.requested, broken.promise, open(readSettings(process.env)).then(() => stop.requested)]);
  say(`stopping (${reason})`);
  await closeEverything();
  say('stopped');
  process.exit(0);
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  await closeEverything();
  process.exit(1);
}

async function open(settings: Settings): Promise<void> {
  const { dataDir } = settings;
  const lock = takeDataFolder(dataDir, 'npm start');
  opened.push({ close: async () => lock.release(), kill: async () => lock.release() });
  const gatewayUrlFile = join(dataDir, 'gateway-url');
  const isFirst = !existsSync(gatewayUrlFile);
  const held = await holdGatewayPort(settings.gatewayPort, say);
  const secrets = loadSecrets(dataDir);
  const operatorToken = loadOperatorToken(dataDir, settings.operatorToken);

  const surroundings = { settings, opened, say, onBroken: broken.reject };
  const [adminUrl, natsUrl] = await Promise.all([openDatabase(surroundings), openNats(surroundings), compile()]);
  const databaseUrls = await provision(adminUrl, secrets.rolePasswords);
  const chosen = serviceSpecs({ databaseUrls, natsUrl, gatewayPort: held.port, operatorToken, mailDir: mailFolder(dataDir), secrets });
  const names = await settingNames();
  const specs = chosen.map((spec) => withOperatorSettings(spec, names, process.env));
  await held.letGo();
  const gatewayUrl = await openServices(surroundings, specs);
  writeFileSync(gatewayUrlFile, gatewayUrl);

  // Only where no start has got so far before; one that has the sample keeps its receiver.
  const sample = settings.showsSample && (isFirst || hasSample(dataDir)) ? await tryShowSample({ gatewayUrl, dataDir, operatorToken }) : undefined;
  announce(settings, gatewayUrl, sample, specs.flatMap(metricsPlace));
}

function metricsPlace({ name, env: { OTEL_EXPORTER_PROMETHEUS_PORT: port } }: ServiceSpec): string[] {
  return port === undefined ? [] : [`:${port}/metrics (${name})`];
}

/** The system runs, with or without its sample. */
async function tryShowSample(options: SampleOptions): Promise<Sample | undefined> {
  try {
    return await showSample(options);
  } catch (error) {
    say(`the sample failed: ${(error as Error).message}`);
    return undefined;
  }
}

async function compile(): Promise<void> {
  await build(say);
  say('everything is compiled');
}

async function closeEverything(): Promise<void> {
  for (const part of opened.toReversed()) await part.close();
}

async function killEverything(): Promise<void> {
  await Promise.allSettled(opened.map((part) => part.kill()));
  process.exit(130);
}
