// Dispatchers as processes, for tests that kill them: a SIGKILL leaves nothing behind that goes on in secret, as a
// dispatcher inside the test's own process would. Each is told the time by its test.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { environmentName } from '@na/service-host';
import { sealingKey, type DispatcherBed } from './dispatcher-bed.js';

const program = join(import.meta.dirname, 'dispatcher-process.mjs');

type Order = 'setTime' | 'start' | 'stop';

export class DispatcherProcess {
  private readonly child: ChildProcess;
  private readonly given = new Map<Order, PromiseWithResolvers<void>>();

  /** Loads the program; it does nothing yet. */
  constructor(env: NodeJS.ProcessEnv, nodeOptions: string[] = []) {
    // Jest's own options must not reach it.
    this.child = fork(program, { env: { PATH: process.env.PATH, NODE_OPTIONS: '', ...env }, execArgv: nodeOptions });
    this.child.on('message', ({ done }: { done: Order }) => this.given.get(done)?.resolve());
    this.child.on('exit', (code) => {
      for (const [name, { reject }] of this.given) reject(new Error(`the dispatcher ended with ${code} when it was to ${name}`));
    });
  }

  async start(time: Date): Promise<void> {
    await this.setTime(time);
    await this.order('start');
  }

  /** Resolves when its clock stands there. */
  setTime(time: Date): Promise<void> {
    return this.order('setTime', { time: time.getTime() });
  }

  /** As on SIGTERM: ends what is in flight and gives back the rest. */
  async stop(): Promise<void> {
    await this.order('stop');
    await this.kill();
  }

  /** Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  private async order(name: Order, values: { time?: number } = {}): Promise<void> {
    const answer = Promise.withResolvers<void>();
    this.given.set(name, answer);
    this.child.send({ name, ...values });
    await answer.promise.finally(() => this.given.delete(name));
  }
}

/** What a dispatcher on a bed has in its environment. */
export function environmentOn({ bed, mailDir }: DispatcherBed): NodeJS.ProcessEnv {
  const settings = { ...bed.config('webhook-dispatcher'), webhookSealingKeys: sealingKey(1), webhookAllowedCidrs: '127.0.0.0/8', mailDir };
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [environmentName(name), String(value)]));
}
