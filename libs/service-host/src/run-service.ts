// How every service process starts and stops. The service's own `start` opens things one after the other and registers
// the closing of each on the next line; a stop runs the closings in reverse.
import { ConfigError, loadConfig, type Config, type Settings } from './config.js';
import { systemClock, type Clock } from './clock.js';
import { HealthServer, type ReadinessCheck } from './health.js';
import { createLogger, type Logger } from './logger.js';
import { shutdownTelemetry } from './telemetry/shutdown.js';
import { serviceSettings } from './settings.js';

/** What a service's `start` gets besides its configuration. */
export interface Host {
  readonly name: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Registers a closing. Closings run in reverse order of registration, each after the one before has ended. */
  onStop(what: string, close: () => Promise<unknown> | void): void;
  addReadinessCheck(check: ReadinessCheck): void;
  /** Ends the process: for what only a new start can mend. Does nothing during a stop. */
  fail(error: Error): void;
}

/** What a started service tells its launcher. */
export interface Started {
  /** Port of the public HTTP server, for the one service that has one. */
  httpPort?: number;
}

/** `S` are the service's own settings; those of every service come with them. */
export type StartService<S extends Settings> = (config: Config<S> & Config<typeof serviceSettings>, host: Host) => Promise<Started | void>;

/**
 * Runs a service as this process: reads the configuration, starts, and stops on SIGTERM, SIGINT or when the launcher's
 * IPC channel closes. Exits with 1 when the configuration is faulty, the start fails or something calls `host.fail`. It is
 * live from the beginning, so that nobody ends a service that is still migrating, and ready once it is started.
 */
export async function runService<S extends Settings>(name: string, settings: S, start: StartService<S>): Promise<void> {
  const config = readConfigOrExit(name, settings);
  const common: Config<typeof serviceSettings> = config;
  const { logger, host, health, close } = createHost(name, common.logLevel, systemClock, (error) => {
    if (health.state === 'stopping') return;
    logger.fatal({ err: error }, 'can not go on');
    process.exit(1);
  });
  const stop = stopOnce(logger, common.stopTimeoutSeconds, async () => {
    health.state = 'stopping';
    await close();
    await health.close();
    await shutdownTelemetry();
  });
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  if (process.channel) process.on('disconnect', () => stop('the launcher has gone'));
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled rejection'));
  try {
    const healthPort = await health.listen(common.healthPort, common.healthHost);
    const started = await start(config, host);
    // A stop that came meanwhile is not undone.
    if (health.state === 'starting') health.state = 'started';
    tellLauncher({ type: 'ready', healthPort, ...started }, logger);
    logger.info({ health_port: healthPort, ...started }, 'ready');
  } catch (error) {
    logger.fatal({ err: error }, 'the start failed');
    process.exit(1);
  }
}

/** Without the callback a launcher that has died meanwhile would be an uncaught exception. */
function tellLauncher(message: object, logger: Logger): void {
  process.send?.(message, undefined, undefined, (error) => {
    if (error) logger.warn({ err: error }, 'the launcher could not be told');
  });
}

/**
 * The host of one service, for `runService` and for tests that start a service inside their own process.
 * @param fail what `host.fail` does; unless told, it logs
 */
export function createHost(name: string, logLevel: string, clock: Clock, fail?: (error: Error) => void) {
  const logger = createLogger(name, logLevel);
  const health = new HealthServer();
  const closings: { what: string; close: () => Promise<unknown> | void }[] = [];
  const host: Host = {
    name,
    logger,
    clock,
    onStop: (what, close) => closings.push({ what, close }),
    addReadinessCheck: (check) => health.addCheck(check),
    fail: fail ?? ((error) => logger.fatal({ err: error }, 'can not go on')),
  };
  const close = async () => {
    for (const closing of closings.splice(0).reverse()) {
      try {
        await closing.close();
      } catch (error) {
        logger.error({ err: error }, `closing ${closing.what} failed`);
      }
    }
  };
  return { logger, host, health, close };
}

function readConfigOrExit<S extends Settings>(name: string, settings: S): Config<S> & Config<typeof serviceSettings> {
  try {
    return loadConfig({ ...serviceSettings, ...settings }, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(1);
  }
}

function stopOnce(logger: Logger, timeoutSeconds: number, close: () => Promise<void>): (why: string) => void {
  let stopping = false;
  return (why) => {
    if (stopping) return;
    stopping = true;
    logger.info({ why }, 'stopping');
    setTimeout(() => {
      logger.error('work in flight did not end in time');
      process.exit(1);
    }, timeoutSeconds * 1_000).unref();
    void close()
      .catch((error: unknown) => logger.error({ err: error }, 'the stop was not clean'))
      .finally(() => process.exit(0));
  };
}
