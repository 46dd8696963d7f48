// Runs the examples of the README from its text, as modules of their own.
import { readFileSync } from 'node:fs';
import { createContext, SourceTextModule, SyntheticModule, type Context } from 'node:vm';
import { join } from 'node:path';

export const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');

/** The first block of JavaScript under a heading. */
export function exampleUnder(heading: string): string {
  const section = readme.split(`\n${heading}\n`)[1];
  const code = section && /```js\n(.*?)```/s.exec(section)?.[1];
  if (!code) throw new Error(`The README has no example under "${heading}"`);
  return code;
}

/**
 * @param imports what the example finds under each name that it imports
 * @param globals what it may use without importing
 * @returns its exports
 */
export async function runExample(code: string, imports: Record<string, object>, globals: object): Promise<Record<string, unknown>> {
  const context = createContext({ ...globals });
  const module = new SourceTextModule(code, { context });
  await module.link((name) => standIn(name, imports[name], context));
  await module.evaluate();
  return module.namespace as Record<string, unknown>;
}

function standIn(name: string, exported: object | undefined, context: Context): SyntheticModule {
  if (!exported) throw new Error(`The example imports ${name}, which this test does not know`);
  const names = Object.keys(exported);
  return new SyntheticModule(
    names,
    function (this: SyntheticModule) {
      for (const key of names) this.setExport(key, exported[key as never]);
    },
    { context },
  );
}
