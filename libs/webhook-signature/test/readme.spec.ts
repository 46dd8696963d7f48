import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Fastify from 'fastify';
import * as library from '../src/index.js';
import { expressStandIn } from './express-stand-in.js';
import { exampleUnder, readme, runExample } from './readme-modules.js';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const body = '{"id":"evt_1","type":"goal.converted","created_at":"2026-01-01T00:00:00.000Z","workspace_id":"ws_1","data":{"goal_name":"Größe ✓"}}';
const globals = { Buffer, Response, process: { env: { WEBHOOK_SECRET: secret } } };
const name = '@notion-analytics/webhook-signature';

type Answer = (request: { body: string; headers: Record<string, string> }) => Promise<{ status: number; text: string }>;

/** Each example, running; closed at the end. */
const receivers: { title: string; answer: Answer; close: () => Promise<void> }[] = [];
beforeAll(async () => receivers.push(await plainNode(), await fastify(), await express(), await nextJs()));
afterAll(() => Promise.all(receivers.map(({ close }) => close())));

test.each(['Node', 'Fastify', 'Express', 'Next.js'])('the example for %s takes a genuine webhook, and tells others why not', async (title) => {
  const { answer } = receivers.find((receiver) => receiver.title === title)!;
  const headers = { ...library.signWebhook({ id: 'evt_1', timestamp: new Date(), body, secrets: secret }), 'content-type': 'application/json' };
  expect(await answer({ body, headers })).toEqual({ status: 202, text: 'took goal.converted' });
  expect(await answer({ body: body.replace('evt_1', 'evt_2'), headers })).toEqual({ status: 401, text: expect.stringContaining('No signature matches') });
  expect(await answer({ body, headers: { 'content-type': 'application/json' } })).toEqual({ status: 401, text: expect.stringContaining('header is missing') });
});

test('the example of an explanation prints what its comment says', async () => {
  const headers = library.signWebhook({ id: 'evt_1', timestamp: new Date(), body, secrets: secret });
  const printed: string[] = [];
  const console = { log: (...words: string[]) => printed.push(words.join(' ')) };
  const example = exampleUnder('## `explainSignature({ secret, headers, body })`');
  await runExample(example, {}, { ...library, secret, headers, parsedBody: JSON.parse(body), console });
  expect(printed).toEqual([example.trim().split(' // ')[1]]);
});

test('the example of signing makes a request that is genuine', async () => {
  const sent: library.VerifyOptions[] = [];
  const fetch = (_url: string, request: { body: string; headers: Record<string, string> }) => sent.push({ ...request, secrets: secret });
  await runExample(exampleUnder('## `signWebhook({ id, timestamp, body, secrets })`'), {}, { ...library, ...globals, Date, fetch });
  expect(library.assertWebhook(sent[0]!).event).toMatchObject({ id: 'evt_1', type: 'goal.converted' });
});

test('the README tells of every reason and exports nothing that is not there', () => {
  for (const reason of library.refusalReasons) expect(readme).toContain(`\`${reason}\``);
  for (const [, used] of readme.matchAll(/^## `(\w+)\(/gm)) expect(Object.keys(library)).toContain(used);
});

async function plainNode() {
  const servers: Server[] = [];
  const create = (listener: RequestListener) => {
    const server = createServer(listener);
    servers.push(server);
    return { listen: () => server.listen(0, '127.0.0.1') };
  };
  await runExample(exampleUnder('### Node'), { 'node:http': { createServer: create }, [name]: library }, globals);
  return overHttp('Node', servers[0]!);
}

/** The example chooses a port; the test takes whichever is free. */
async function overHttp(title: string, server: Server) {
  if (!server.listening) await once(server, 'listening');
  const answer: Answer = async (request) => {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`, { method: 'POST', ...request });
    return { status: response.status, text: await response.text() };
  };
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { title, answer, close };
}

/** Fastify takes requests without a port, through all of its hooks and parsers. */
async function fastify() {
  const app = Fastify();
  const example = Object.assign(app, { listen: async () => void (await app.ready()) });
  await runExample(exampleUnder('### Fastify'), { fastify: { default: () => example }, [name]: library }, globals);
  const answer: Answer = async ({ body: payload, headers }) => {
    const { statusCode, body: text } = await app.inject({ method: 'POST', url: '/webhooks', payload, headers });
    return { status: statusCode, text };
  };
  return { title: 'Fastify', answer, close: () => app.close() };
}

async function express() {
  const { module, servers } = expressStandIn();
  await runExample(exampleUnder('### Express'), { express: { default: module }, [name]: library }, globals);
  return overHttp('Express', servers[0]!);
}

/** Next.js calls the handler with a standard Request, and so does this. */
async function nextJs() {
  const exported = await runExample(exampleUnder('### Next.js'), { [name]: library }, globals);
  const POST = exported['POST'] as (request: Request) => Promise<Response>;
  const answer: Answer = async (request) => {
    const response = await POST(new Request('http://localhost/webhooks', { method: 'POST', ...request }));
    return { status: response.status, text: await response.text() };
  };
  return { title: 'Next.js', answer, close: async () => undefined };
}
