// Typed settings: one table per service, read once at start from the environment, failing with every fault at once.
// `docs/configuration.md` is generated from the same tables.
import type { z } from 'zod';

export interface Setting<T = unknown> {
  description: string;
  /** Reads the environment variable's text; its error message is shown to the operator. */
  schema: z.ZodType<T, string>;
  /** As it would be written in the environment. A setting without one is required. */
  default?: string;
  /** Never printed, not even in an error. */
  secret?: boolean;
}

export type Settings = Record<string, Setting>;
export type Config<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: string[]) {
    super(`The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

/**
 * @param settings keys in camelCase; the environment variable is the same name in UPPER_SNAKE_CASE
 * @throws ConfigError naming every missing or malformed variable
 */
export function loadConfig<S extends Settings>(settings: S, env: NodeJS.ProcessEnv): Config<S> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    const name = environmentName(key);
    const text = env[name] ?? setting.default;
    if (text === undefined) {
      faults.push(`${name} is not set. ${setting.description}`);
      continue;
    }
    const result = setting.schema.safeParse(text);
    if (result.success) values[key] = result.data;
    else faults.push(`${name}${setting.secret ? '' : `="${text}"`}: ${result.error.issues.map((issue) => issue.message).join('; ')}. ${setting.description}`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Config<S>;
}

/** `healthPort` is HEALTH_PORT. */
export function environmentName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
