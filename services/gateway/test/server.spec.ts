import { afterEach, expect, test } from '@jest/globals';
import { Controller, Get, Ip, Module, type Type } from '@nestjs/common';
import { createHost, createLogger, systemClock, type Host } from '@na/service-host';
import { typeid } from 'typeid-js';
import { Public, Scoped } from '../src/auth/access.js';
import { makeKey } from '../src/auth/key-material.js';
import { OperatorToken } from '../src/auth/operator-token.js';
import { Verdicts } from '../src/auth/verdicts.js';
import { Pipeline } from '../src/http/pipeline.js';
import { serveHttp } from '../src/http/server.js';

@Module({})
class Served {}

const { keyId, credential } = makeKey(typeid('key').toString(), Buffer.alloc(32, 7));
const workspaceId = typeid('ws').toString();
const verdict = { $typeName: 'keys.v1.Verdict' as const, keyId, workspaceId, scopes: ['pages:read'], allowedIps: [], version: 1, workspaceVersion: 1 };
const verifyKey = async () => ({ $typeName: 'keys.v1.VerifyKeyResponse' as const, status: 'valid', verdict });
const pipeline = new Pipeline(new Verdicts({ verifyKey }, systemClock), new OperatorToken('x'));

let stop = async () => {};
afterEach(() => stop());

async function serve(controller: Type, { trustedProxies = [] as string[] } = {}): Promise<{ url: string; lines: string[] }> {
  const lines: string[] = [];
  const created = createHost('gateway', 'fatal', systemClock);
  const host: Host = { ...created.host, logger: createLogger('gateway', 'info', { write: (line) => void lines.push(line) }) };
  stop = created.close;
  const options = { port: 0, host: '127.0.0.1', publicUrl: 'https://api.example.com', trustedProxies };
  const port = await serveHttp({ module: Served, controllers: [controller] }, pipeline, options, host);
  return { url: `http://127.0.0.1:${port}`, lines };
}

test('a route that does not say who may call it keeps the gateway from starting', async () => {
  @Controller('/things')
  class Open {
    @Get()
    list() {}
  }
  await expect(serve(Open)).rejects.toThrow('GET /things does not say who may call it');
});

test('a request that is in hand when the stop begins is answered before it ends', async () => {
  const arrived = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  @Controller('/slow')
  class Slow {
    @Get()
    @Public()
    async answer() {
      arrived.resolve();
      await release.promise;
      return { done: true };
    }
  }
  const { url } = await serve(Slow);
  const answer = fetch(`${url}/slow`);
  await arrived.promise;
  const stopped = stop();
  release.resolve();
  expect([(await answer).status, await (await answer).json()]).toEqual([200, { done: true }]);
  await stopped;
  await expect(fetch(`${url}/slow`)).rejects.toThrow('fetch failed');
});

test('a request is one log line with who, what and how it went, and without its credential and query', async () => {
  @Controller('/things')
  class Things {
    @Get(':id')
    @Scoped('pages:read')
    get() {
      return {};
    }
  }
  const { url, lines } = await serve(Things);
  const response = await fetch(`${url}/things/thing_1?q=private`, { headers: { authorization: `Bearer ${credential}`, 'x-workspace-id': workspaceId } });
  await response.text();
  await stop();
  const requests = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'request');
  const who = { workspace_id: workspaceId, actor: keyId, request_id: response.headers.get('x-request-id') };
  expect(requests).toMatchObject([{ ...who, method: 'GET', route: '/things/:id', status: 200, duration_ms: expect.any(Number) }]);
  expect(lines.join()).not.toContain(credential.slice(-49));
  expect(lines.join()).not.toContain('private');
});

test('X-Forwarded-For is believed from a trusted proxy only', async () => {
  @Controller('/ip')
  class Address {
    @Get()
    @Public()
    get(@Ip() address: string) {
      return { address };
    }
  }
  const seen = async (trustedProxies: string[]) => {
    const { url } = await serve(Address, { trustedProxies });
    const { address } = (await (await fetch(`${url}/ip`, { headers: { 'x-forwarded-for': '192.0.2.9' } })).json()) as { address: string };
    await stop();
    return address;
  };
  expect([await seen([]), await seen(['127.0.0.0/8'])]).toEqual(['127.0.0.1', '192.0.2.9']);
});
