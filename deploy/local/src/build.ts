/** Compiles what changed since the last time. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { waitForLock } from '../bootstrap/lock.mjs';
import { repositoryRoot, toolsFolder } from './paths.ts';
import type { Say } from './progress.ts';

const run = promisify(execFile);

export async function build(say: Say): Promise<void> {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  mkdirSync(toolsFolder, { recursive: true });
  // Two compilers at once would each run what the other has half written.
  const lock = await waitForLock(join(toolsFolder, 'build.lock'), 'compiling', ({ pid }) => say(`waiting for process ${pid}, which is compiling`));
  try {
    await run(process.execPath, [compiler, '--build'], { cwd: repositoryRoot });
  } catch (error) {
    const { stdout, message } = error as Error & { stdout?: string };
    throw new Error(`The build failed:\n${stdout || message}`);
  } finally {
    lock.release();
  }
}
