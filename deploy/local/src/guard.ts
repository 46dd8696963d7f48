/**
 * A process of its own that starts one server and stops it when the launcher goes away, however it went: the channel to
 * the launcher closes even on kill -9. It knows nothing about the server it guards. The other end is guarded.ts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { GuardOrder } from './guarded.ts';

process.once('message', (order) => guard(order as GuardOrder));
// Whoever starts a guard and dies before the order leaves nothing to guard.
process.once('disconnect', () => process.exit(0));

function guard(order: GuardOrder): void {
  process.removeAllListeners('disconnect');
  const child = spawn(order.command, order.args, {
    // The account of the server may not be allowed to enter the launcher's folder.
    cwd: order.account === undefined ? undefined : '/',
    env: order.env,
    stdio: ['ignore', 'inherit', 'inherit'],
    ...order.account,
  });
  child.on('error', (error) => finish({ error: error.message }));
  child.on('spawn', () => report({ pid: child.pid }));
  child.on('exit', (code, signal) => finish({ exit: signal ?? `code ${code}` }));
  process.once('disconnect', () => stop(child, order));
  process.once('SIGTERM', () => stop(child, order));
}

function stop(child: ChildProcess, { stopSignal, killAfterMs, removeAfter }: GuardOrder): void {
  child.kill(stopSignal);
  setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
  if (removeAfter !== undefined) child.on('exit', () => rmSync(removeAfter, { recursive: true, force: true }));
}

function finish(result: { error: string } | { exit: string }): void {
  report(result, () => process.exit(0));
}

/** A launcher that just died can't be told: without a callback, that would end the guard before the server. */
function report(message: object, done: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, done);
  else setImmediate(done);
}
