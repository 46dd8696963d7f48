/**
 * What whoever starts the system wants set otherwise in the services: each gets its own settings from the launcher's
 * environment (docs/configuration.md lists them), and nothing of it that the launcher has to choose.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from './paths.ts';
import { serviceNames, type ServiceName } from './provision.ts';
import type { ServiceSpec } from './services.ts';

export type SettingNames = Record<ServiceName, string[]>;

/** Lists that keep what the launcher chose: the sample's receiver listens on loopback. */
const addedTo = ['WEBHOOK_ALLOWED_CIDRS'];

/** The environment variables that each service reads, from its own tables. Call once everything is compiled. */
export async function settingNames(): Promise<SettingNames> {
  const { environmentName, serviceSettings } = (await compiled('libs/service-host/dist/index.js')) as HostModule;
  const named = serviceNames.map(async (name) => {
    const { settings } = (await compiled(`services/${name}/dist/settings.js`)) as { settings: object };
    return [name, [...Object.keys(serviceSettings), ...Object.keys(settings)].map(environmentName)] as const;
  });
  return Object.fromEntries(await Promise.all(named)) as SettingNames;
}

/** Pure. */
export function withOperatorSettings(spec: ServiceSpec, names: SettingNames, env: NodeJS.ProcessEnv): ServiceSpec {
  const wanted = Object.fromEntries(names[spec.name].filter((name) => env[name] !== undefined).map((name) => [name, env[name]] as const));
  const added = addedTo.filter((name) => wanted[name] && spec.env[name]).map((name) => [name, `${wanted[name]},${spec.env[name]}`] as const);
  return { ...spec, env: { ...wanted, ...spec.env, ...Object.fromEntries(added) } };
}

interface HostModule {
  environmentName: (key: string) => string;
  serviceSettings: object;
}

function compiled(path: string): Promise<unknown> {
  return import(pathToFileURL(join(repositoryRoot, path)).href) as Promise<unknown>;
}
