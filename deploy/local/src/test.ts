/** `npm test`: compiles, makes sure of nats-server, and runs Jest with the given arguments. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { handOver, noteStarters } from '../bootstrap/hand-over.mjs';
import { build } from './build.ts';
import { findNatsServer } from './nats-binary.ts';
import { say } from './progress.ts';

try {
  // Here and not in the tests: several of them would fetch it at once.
  await Promise.all([build(say), process.env.NATS_URL ? undefined : findNatsServer(say)]);
  const jest = join(dirname(createRequire(import.meta.url).resolve('jest/package.json')), 'bin', 'jest.js');
  const nodeOptions = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  process.exitCode = await handOver(process.execPath, [...nodeOptions, jest, ...process.argv.slice(2)], process.env, noteStarters());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
