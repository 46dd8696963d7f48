import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The service of `service.mjs`, in the middle of its start. */
async function starting() {
  const port = await freePort();
  const env = { PATH: process.env.PATH, NATS_URL: 'nats://nowhere', HEALTH_PORT: String(port), LOG_LEVEL: 'fatal' };
  const child = fork(join(import.meta.dirname, 'service.mjs'), { env, execArgv: [] });
  children.push(child);
  await once(child, 'message');
  const health = async (what: string) => (await fetch(`http://127.0.0.1:${port}/health/${what}`)).status;
  return { child, health };
}

async function started() {
  const service = await starting();
  const ready = once(service.child, 'message');
  service.child.send('go on');
  await ready;
  return service;
}

test('a service is live while it starts, so that nobody ends it in a migration, and ready only afterwards', async () => {
  const { child, health } = await starting();
  expect([await health('live'), await health('ready')]).toEqual([200, 503]);
  const ready = once(child, 'message');
  child.send('go on');
  expect((await ready)[0]).toMatchObject({ type: 'ready' });
  expect([await health('live'), await health('ready')]).toEqual([200, 200]);
});

test('what only a new start can mend ends the process with 1', async () => {
  const { child } = await started();
  const exited = once(child, 'exit');
  child.send('fail');
  expect(await exited).toEqual([1, null]);
});

test('a stop ends the process with 0, whatever its parts say of their end and although telemetry can not be flushed', async () => {
  const { child } = await started();
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
