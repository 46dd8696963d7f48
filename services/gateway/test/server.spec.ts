import { create } from '@bufbuild/protobuf';
import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Body, Controller, Get, Ip, Module, Post, Query, StreamableFile, type Type } from '@nestjs/common';
import { CallerSchema, VerdictSchema } from '@na/contracts';
import { createHost, createLogger, systemClock, type Host } from '@na/service-host';
import { typeid } from 'typeid-js';
import { Public, Scoped } from '../src/auth/access.js';
import { makeKey } from '../src/auth/key-material.js';
import type { ServerLimits } from '../src/http/server-limits.js';
import { serveHttp, type Conventions } from '../src/http/server.js';

@Module({})
class Served {}

const { keyId, credential } = makeKey(typeid('key').toString(), Buffer.alloc(32, 7));
const workspaceId = typeid('ws').toString();
const verdict = create(VerdictSchema, { keyId, workspaceId, scopes: ['pages:read'] });
const caller = create(CallerSchema, { workspaceId, actor: keyId });
const conventions: Conventions = {
  pipeline: { admit: async () => ({ principal: { kind: 'key', verdict }, caller }), count: async () => undefined },
  idempotency: { install: () => undefined },
};

let stop = async () => {};
afterEach(() => stop());

async function serve(controller: Type, { trustedProxies = [], limits = {} }: { trustedProxies?: string[]; limits?: Partial<ServerLimits> } = {}): Promise<{ url: string; lines: string[] }> {
  const lines: string[] = [];
  const created = createHost('gateway', 'fatal', systemClock);
  const host: Host = { ...created.host, logger: createLogger('gateway', 'info', { write: (line) => void lines.push(line) }) };
  stop = created.close;
  const options = { port: 0, host: '127.0.0.1', publicUrl: 'https://api.example.com', trustedProxies, limits };
  const port = await serveHttp({ module: Served, controllers: [controller] }, conventions, options, host);
  return { url: `http://127.0.0.1:${port}`, lines };
}

/** A server with an answer at /slow that is the test's to give. `arrived` resolves when a request has come to it. */
async function serveSlow(answer: () => unknown): Promise<{ url: string; arrived: Promise<void> }> {
  const arrived = Promise.withResolvers<void>();
  @Controller('/slow')
  class Slow {
    @Get()
    @Public()
    answer() {
      arrived.resolve();
      return answer();
    }
  }
  const { url } = await serve(Slow);
  return { url, arrived: arrived.promise };
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
  const release = Promise.withResolvers<{ done: boolean }>();
  const { url, arrived } = await serveSlow(() => release.promise);
  const answer = fetch(`${url}/slow`);
  await arrived;
  const stopped = stop();
  release.resolve({ done: true });
  expect([(await answer).status, await (await answer).json()]).toEqual([200, { done: true }]);
  await stopped;
  await expect(fetch(`${url}/slow`)).rejects.toThrow('fetch failed');
});

test('a request is one log line with who, what and how it went, and without its credential and query', async () => {
  @Controller('/things')
  class Things {
    @Get(':id')
    @Scoped('pages:read')
    get(@Query() query: object) {
      return query;
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

const quick = { headersTimeoutMs: 100, requestTimeoutMs: 200, checkEveryMs: 20 };

@Controller('/things')
class Things {
  @Post()
  @Public()
  take(@Body() body: unknown) {
    return { body };
  }
}

test.each([
  ['no byte at all', ''],
  ['half its headers', 'POST /things HTTP/1.1\r\nHost: x\r\nX-A: '],
  ['half its body', 'POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a'],
])('a client that sends %s is not waited for', async (_what, sent) => {
  const { url } = await serve(Things, { limits: quick });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(sent);
  const answer = await text(socket);
  expect(answer).toContain('HTTP/1.1 408 Request Timeout');
  expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'request_timeout', status: 408 });
});

test('idle connections cost nobody an answer, and more than there is room for are closed at once', async () => {
  const { url } = await serve(Things, { limits: { connections: 200 } });
  const port = Number(new URL(url).port);
  const idle = Array.from({ length: 199 }, () => connect(port, '127.0.0.1'));
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  const answer = await fetch(`${url}/things`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '1' });
  expect([answer.status, await answer.json()]).toEqual([201, { body: 1 }]);
  const tooMany = connect(port, '127.0.0.1');
  tooMany.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await text(tooMany).catch(() => '')).toBe('');
  for (const socket of idle) socket.destroy();
});

/** Connections that the server has taken in: what comes by a later one is answered after it has seen them. */
async function connected(url: string, ...sent: string[]): Promise<Socket[]> {
  const sockets = sent.map(() => connect(Number(new URL(url).port), '127.0.0.1'));
  await Promise.all(sockets.map((socket, i) => new Promise((resolve) => socket.once('connect', () => socket.write(sent[i]!, resolve)))));
  for (const socket of sockets) socket.on('error', () => {});
  await (await fetch(`${url}/nowhere`)).text();
  return sockets;
}

const halfBody = 'POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a":';

test('a stop waits for nobody who has not asked for anything yet', async () => {
  const { url } = await serve(Things);
  const sockets = await connected(url, '', 'POST /things HTTP/1.1\r\nHost: x\r\n', 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET / HT');
  const answers = sockets.map((socket) => text(socket).catch(() => ''));
  await stop();
  expect(await Promise.all(answers)).toEqual(['', '', expect.stringContaining('HTTP/1.1 404 Not Found')]);
});

test('a request of which the rest comes during the stop is answered, and its connection closed', async () => {
  const { url } = await serve(Things);
  const [socket] = await connected(url, halfBody);
  const stopped = stop();
  await expect(fetch(`${url}/things`)).rejects.toThrow('fetch failed');
  socket!.write('1   }');
  expect(await text(socket!)).toMatch(/^HTTP\/1\.1 201 Created[^]*{"body":{"a":1}}$/);
  await stopped;
});

test('a stop waits for the rest of a request no longer than for any request', async () => {
  const { url } = await serve(Things, { limits: { requestTimeoutMs: 200, headersTimeoutMs: 100, checkEveryMs: 60_000 } });
  const [socket] = await connected(url, halfBody);
  const answer = text(socket!).catch(() => '');
  await stop();
  expect(await answer).toBe('');
});

test.each([
  ['at no address', 'POST', '/nowhere', [404, 'not_found', undefined]],
  ['with a method that its address does not answer', 'PUT', '/things', [405, 'method_not_allowed', 'POST']],
])('a request %s is refused before its body has come, whatever that is', async (_what, method, path, refusal) => {
  const { url } = await serve(Things);
  for (const headers of [{ 'content-type': 'application/json' }, { 'content-type': 'text/plain' }, { 'content-encoding': 'gzip' }]) {
    const sent = request(`${url}${path}`, { method, headers: { ...headers, 'content-length': 1_000_000 } });
    sent.write('{');
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const { code } = JSON.parse(await text(answer)) as { code: string };
    expect([answer.statusCode, code, answer.headers.allow]).toEqual(refusal);
    sent.destroy();
  }
});

test.each([
  ['has begun', '01234'],
  ['is still to come', ''],
])('what is not HTTP closes the connection, and says nothing, while the answer to the request before it %s', async (_what, begun) => {
  const answer = new PassThrough();
  const { url, arrived } = await serveSlow(() => (begun ? new StreamableFile(answer) : new Promise(() => {})));
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  const received: string[] = [];
  const closed = once(socket.setEncoding('utf8'), 'close');
  const first = new Promise<void>((resolve) => socket.on('data', (data: string) => resolve(void received.push(data))));
  socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  await arrived;
  answer.write(begun);
  if (begun) await first;
  socket.write('BROKEN\r\n\r\n');
  await closed;
  expect(received.join('').match(/HTTP\/1\.1 \d+/g) ?? []).toEqual(begun ? ['HTTP/1.1 200'] : []);
});

async function answerTo(url: string, sent: string): Promise<{ head: string; body: Record<string, unknown> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(sent);
  const [head, body] = (await text(socket)).split('\r\n\r\n');
  return { head: head!, body: JSON.parse(body!) as Record<string, unknown> };
}

test.each([
  ['without a Host', ''],
  ['with an Expect that nobody knows', 'Host: x\r\nExpect: x\r\n'],
])('a request %s is a problem like any other', async (_what, headers) => {
  const { url } = await serve(Things);
  for (const target of ['POST /things', 'GET /nowhere']) {
    const { head, body } = await answerTo(url, `${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
    expect(body).toMatchObject({ code: 'invalid_request', status: 400 });
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(head).toContain(`x-request-id: ${body.request_id as string}`);
    expect(head).toContain('x-content-type-options: nosniff');
  }
});

test('HTTP/1.0 needs no Host, and who waits for 100-continue gets it', async () => {
  const { url } = await serve(Things);
  const body = 'Content-Type: application/json\r\nContent-Length: 1\r\n\r\n';
  expect((await answerTo(url, `POST /things HTTP/1.0\r\n${body}1`)).body).toEqual({ body: 1 });
  const sent = request(`${url}/things`, { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': 1, expect: '100-continue' } });
  sent.flushHeaders();
  await once(sent, 'continue');
  sent.end('1');
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  expect([answer.statusCode, await text(answer)]).toEqual([201, '{"body":1}']);
});
