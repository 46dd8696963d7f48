/** What the environment may say to the launcher, read once. deploy/local/README.md describes each for people. */
import { resolve } from 'node:path';
import { defaultDataFolder } from './paths.ts';

export interface Settings {
  dataDir: string;
  /** Absent when nobody asked for a certain port. */
  gatewayPort: number | undefined;
  /** A PostgreSQL and a NATS to use instead of starting them. */
  databaseUrl: string | undefined;
  natsUrl: string | undefined;
  operatorToken: string | undefined;
  showsSample: boolean;
}

export const defaultGatewayPort = 3000;

/** Throws one error that names every faulty setting. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const faults: string[] = [];
  const settings = {
    dataDir: resolve(env.DATA_DIR || defaultDataFolder),
    gatewayPort: portOf(env.GATEWAY_PORT, faults),
    databaseUrl: urlOf('DATABASE_URL', env, /^postgres(ql)?:$/, faults),
    natsUrl: urlOf('NATS_URL', env, /^(nats|tls):$/, faults),
    operatorToken: env.OPERATOR_TOKEN || undefined,
    showsSample: env.SAMPLE !== '0',
  };
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return settings;
}

function portOf(text: string | undefined, faults: string[]): number | undefined {
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  faults.push(`GATEWAY_PORT is "${text}", which is not a port from 1 to 65535.`);
  return undefined;
}

/** The value stays out of the message: it may hold a password. NATS takes several servers, separated by commas. */
function urlOf(name: string, env: NodeJS.ProcessEnv, protocol: RegExp, faults: string[]): string | undefined {
  const value = env[name];
  if (!value) return undefined;
  const isValid = value.split(',').every((part) => protocol.test(URL.parse(part.trim())?.protocol ?? ''));
  if (!isValid) faults.push(`${name} is not a URL of the kind ${name === 'NATS_URL' ? 'nats' : 'postgresql'}://host:port.`);
  return value;
}
