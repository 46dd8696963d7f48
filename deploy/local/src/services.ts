/** The four services: what runs each, and what each is told. A service gets its own secrets and nobody else's. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from './paths.ts';
import type { ServiceName } from './provision.ts';
import type { Secrets } from './secrets.ts';

export interface ServiceSpec {
  name: ServiceName;
  program: string;
  nodeOptions: string[];
  env: NodeJS.ProcessEnv;
}

export interface Surroundings {
  databaseUrls: Record<ServiceName, string>;
  natsUrl: string;
  gatewayPort: number;
  operatorToken: string;
  /** Where mail is put for want of a mail server. */
  mailDir: string;
  secrets: Secrets;
}

export function serviceSpecs({ databaseUrls, natsUrl, gatewayPort, operatorToken, mailDir, secrets }: Surroundings): ServiceSpec[] {
  const own: Record<ServiceName, NodeJS.ProcessEnv> = {
    gateway: {
      DATABASE_URL: databaseUrls.gateway,
      HOST: '127.0.0.1',
      PORT: String(gatewayPort),
      OPERATOR_TOKEN: operatorToken,
      CURSOR_KEY: secrets.CURSOR_KEY,
    },
    'key-management': {
      DATABASE_URL: databaseUrls['key-management'],
      KEY_PEPPERS: secrets.KEY_PEPPERS,
    },
    reporting: {
      DATABASE_URL: databaseUrls.reporting,
    },
    'webhook-dispatcher': {
      DATABASE_URL: databaseUrls['webhook-dispatcher'],
      WEBHOOK_SEALING_KEYS: secrets.WEBHOOK_SEALING_KEYS,
      MAIL_DIR: mailDir,
      // People try webhooks against their own machine first. A deployment leaves this unset, and loopback stays refused.
      WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8,::1/128',
    },
  };
  const common = { ...passedOn(process.env), NATS_URL: natsUrl, HEALTH_PORT: '0' };
  return (Object.keys(own) as ServiceName[]).map((name, index) => ({
    name,
    ...programOf(name),
    env: { ...common, ...metricsPort(process.env, index), ...own[name] },
  }));
}

/** OpenTelemetry's own, unless another is set. */
const usualMetricsPort = 9464;

/** Where Prometheus is to collect the metrics of each: on one machine they can't all have the same port, so they have it and those after it. */
export function metricsPort({ OTEL_METRICS_EXPORTER: exporters = '', OTEL_EXPORTER_PROMETHEUS_PORT: first }: NodeJS.ProcessEnv, index: number): NodeJS.ProcessEnv {
  const isShown = exporters.split(',').some((exporter) => exporter.trim() === 'prometheus');
  if (!isShown) return {};
  return { OTEL_EXPORTER_PROMETHEUS_PORT: String(Number(first || usualMetricsPort) + index) };
}

/**
 * In MB, for each of its two halves; 16 is Node's own. Nearly all that a service makes is done with within milliseconds, and with
 * more room less of it is carried along: a backlog of deliveries goes out a third faster (bench/README.md).
 */
const youngSpace = '--max-semi-space-size=64';

function programOf(name: ServiceName): { program: string; nodeOptions: string[] } {
  const telemetry = join(repositoryRoot, 'libs/service-host/dist/telemetry/register.js');
  return {
    program: join(repositoryRoot, 'services', name, 'dist/main.js'),
    nodeOptions: [youngSpace, '--import', pathToFileURL(telemetry).href],
  };
}

/** What of the launcher's environment concerns a service; SystemRoot is what Windows needs to open a socket. */
function passedOn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'TZ', 'SystemRoot', ...Object.keys(env).filter((name) => name.startsWith('OTEL_'))];
  const kept = names.filter((name) => env[name] !== undefined).map((name) => [name, env[name]] as const);
  return { ...Object.fromEntries(kept), LOG_LEVEL: env.LOG_LEVEL || 'warn', NODE_ENV: env.NODE_ENV || 'development' };
}
