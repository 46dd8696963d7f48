// The OpenAPI document and the page that shows it. That the document says what the API does is for walk.system.spec.ts.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import type { JsonObject } from '@na/contracts';
import { z } from 'zod';
import { Public } from '../src/auth/access.js';
import { controllers } from '../src/controllers.js';
import { plain } from '../src/openapi/answer.js';
import { describeApi } from '../src/openapi/document.js';
import { Documented } from '../src/openapi/operation.js';
import { GatewayBed } from './gateway.bed.js';

const publicUrl = 'https://analytics.acme.dev/api-platform';
const document = describeApi(controllers, publicUrl);

let gateway: GatewayBed;
beforeAll(async () => void (gateway = await GatewayBed.start()));
afterAll(() => gateway.stop());

/** Pointers to parameters and fields without a description. What is inside examples is no schema. */
function* undescribed(part: unknown, path: string): Generator<string> {
  if (typeof part !== 'object' || part === null || /\/examples?$/.test(path)) return;
  const { properties, in: place, description } = part as { properties?: Record<string, JsonObject>; in?: string; description?: string };
  if (place && !description) yield path;
  if (typeof properties === 'object') for (const [name, field] of Object.entries(properties)) if (!field.description) yield `${path}/${name}`;
  for (const [name, inner] of Object.entries(part)) yield* undescribed(inner, `${path}/${name}`);
}

test('every parameter, and every field of bodies, answers and events, is described', () => {
  const { components, paths, webhooks } = document;
  expect([...undescribed({ components, paths, webhooks }, '')]).toEqual([]);
});

@Controller('/api/v1/secret-door')
class Undocumented {
  @Get()
  @Public()
  enter() {
    return {};
  }
}

test('a route that the reference does not know keeps the gateway from starting', () => {
  expect(() => describeApi([...controllers, Undocumented], publicUrl)).toThrow('GET /api/v1/secret-door is not in the reference');
});

@Documented({ name: 'Keys', description: '' }, { enter: { id: 'enter', summary: '', answer: plain('Key', '', z.object({}), {}) } })
@Controller('/api/v1/other-door')
class Namesake {
  @Get()
  @Public()
  enter() {
    return {};
  }
}

test('two different things under one name keep the gateway from starting', () => {
  expect(() => describeApi([...controllers, Namesake], publicUrl)).toThrow('two different things of the name Key');
});

test('addresses in the document are those that clients use', () => {
  expect(document.servers).toEqual([{ url: publicUrl, description: 'This installation.' }]);
  expect(document).toHaveProperty('components.examples.not_found.value.type', `${publicUrl}/problems/not_found`);
});

test('anybody may read the document, and whoever has it is not sent it again', async () => {
  const { status, headers, body } = await gateway.get('/api/v1/openapi.json');
  expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([200, 'application/json; charset=utf-8', 'public, max-age=300']);
  expect(body).toEqual(describeApi(controllers, 'https://api.example.com'));
  const again = await gateway.get('/api/v1/openapi.json', { 'if-none-match': headers.get('etag')! });
  expect([again.status, again.body]).toEqual([304, '']);
});

const read = (path: string, headers: Record<string, string> = {}) => fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers });

test('what never changes is sent compressed to whoever takes it, and each encoding has a tag of its own', async () => {
  const answers = await Promise.all(['br', 'gzip', 'identity', 'br;q=0'].map((encoding) => read('/docs/api/swagger-ui.css', { 'accept-encoding': encoding })));
  expect(answers.map(({ headers }) => headers.get('content-encoding'))).toEqual(['br', 'gzip', null, null]);
  expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
  expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(3);
});

test('the page lets nothing in but files of its own and its icons', async () => {
  const page = await read('/docs/api');
  const html = await page.text();
  const rules = page.headers.get('content-security-policy')!.split('; ');
  expect(rules).toEqual([
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
  ]);
  expect(html).not.toMatch(/<script>|<style>| on\w+=|style=|https?:/);
});

test('every file that the page names is served by its type, relative to wherever the page is', async () => {
  const html = await (await read('/docs/api')).text();
  const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(4);
  for (const name of names) {
    const { status, headers } = await read(new URL(name, 'http://x/docs/api').pathname);
    expect([name, status, headers.get('etag')]).toEqual([name, 200, expect.stringMatching(/^"/)]);
    expect(headers.get('content-type')).toMatch(/^(text\/(css|javascript)|image\/png|application\/json)/);
    expect(headers.get('cache-control')).toMatch(/^public, max-age=/);
  }
});

test.each(['index.html', 'package.json', '..%2findex.html', '..%2f..%2fpackage.json', '%2e%2e%2fpackage.json', '%00', '__proto__', 'swagger-ui.css.map'])(
  'nothing but those files is served: %s',
  async (name) => {
    const { status, headers } = await read(`/docs/api/${name}`);
    expect([status, headers.get('content-type')]).toEqual([404, expect.stringContaining('application/problem+json')]);
  },
);
