import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { GatewayBed, type Answer, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
let key: TestKey;
let pagePath: string;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  key = gateway.newKey();
  const { body } = await gateway.post('/api/v1/pages', { url: 'https://example.com', title: 'x'.repeat(300) }, key.headers);
  pagePath = `/api/v1/pages/${body.id}`;
  for (let i = 0; i < 5; i++) await gateway.post('/api/v1/pages', { url: `https://example.com/${i}`, title: 'x'.repeat(300) }, key.headers);
});
afterAll(() => gateway.stop());

const refusal = ({ status, body }: Answer) => [status, body.code];

/** The bytes as they came over the line. */
async function raw(path: string, headers: Record<string, string>, method = 'GET', body?: string | Buffer): Promise<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer }>();
  httpRequest({ port: gateway.port, path, method, headers }, (response) => {
    buffer(response).then((bytes) => resolve({ status: response.statusCode!, headers: response.headers, bytes }), reject);
  })
    .on('error', reject)
    .end(body);
  return promise;
}

test('who has the current version is told so, without a body', async () => {
  const { headers } = await gateway.get(pagePath, key.headers);
  const etag = headers.get('etag')!;
  expect([etag, headers.get('cache-control')]).toEqual([expect.stringMatching(/^"/), 'private, no-cache']);
  for (const tags of [etag, `W/${etag}`, `"old", ${etag}`, '*']) {
    const { status, headers: same, bytes } = await raw(pagePath, { ...key.headers, 'if-none-match': tags });
    expect([status, same.etag, bytes.length, same['content-type'], same['content-length']]).toEqual([304, etag, 0, undefined, undefined]);
  }
  const changed = await gateway.get(pagePath, { ...key.headers, 'if-none-match': '"old"' });
  expect([changed.status, changed.body.title]).toEqual([200, 'x'.repeat(300)]);
});

test('what is made or changed answers with its ETag, which a GET then confirms', async () => {
  const made = await gateway.post('/api/v1/pages', { url: 'https://example.com/new' }, key.headers);
  const seen = await gateway.get(made.headers.get('location')!, { ...key.headers, 'if-none-match': made.headers.get('etag')! });
  expect([made.status, seen.status, made.headers.get('cache-control')]).toEqual([201, 304, 'no-store']);
});

test('If-None-Match is for reading: it keeps nothing from being made', async () => {
  const answer = await gateway.post('/api/v1/pages', { url: 'https://example.com/any' }, { ...key.headers, 'if-none-match': '*' });
  expect(answer.status).toBe(201);
});

test('answers are compressed for who takes br or gzip, and the same either way', async () => {
  const plain = await raw('/api/v1/pages', key.headers);
  const brotli = await raw('/api/v1/pages', { ...key.headers, 'accept-encoding': 'gzip, br' });
  const gzip = await raw('/api/v1/pages', { ...key.headers, 'accept-encoding': 'gzip' });
  expect([plain, brotli, gzip].map(({ headers }) => [headers['content-encoding'], headers.vary])).toEqual([
    [undefined, undefined],
    ['br', 'accept-encoding'],
    ['gzip', 'accept-encoding'],
  ]);
  expect([brotliDecompressSync(brotli.bytes), gunzipSync(gzip.bytes)]).toEqual([plain.bytes, plain.bytes]);
  expect(Number(gzip.headers['content-length'])).toBe(gzip.bytes.length);
});

test('an answer that fits one packet is sent as it is, and so is a secret in one of any size', async () => {
  const small = await raw('/api/v1/workspaces', { ...key.headers, 'accept-encoding': 'br' });
  expect([small.status, small.headers['content-encoding']]).toEqual([200, undefined]);
  const wanted = JSON.stringify({ name: 'x'.repeat(100), scopes: gateway.newKey().scopes, allowed_ips: Array.from({ length: 50 }, () => '2001:db8:1234:5678::/64') });
  const made = await raw('/api/v1/keys', { ...key.headers, 'content-type': 'application/json', 'accept-encoding': 'br' }, 'POST', wanted);
  expect([made.status, made.headers['content-encoding'], made.bytes.length > 1_024]).toEqual([201, undefined, true]);
  expect(JSON.parse(made.bytes.toString()).secret).toMatch(/^nak_/);
});

test('HEAD says what GET would, and sends no body', async () => {
  const got = await raw('/api/v1/pages', key.headers);
  const headed = await raw('/api/v1/pages', key.headers, 'HEAD');
  expect([headed.status, headed.headers['content-length'], headed.bytes.length]).toEqual([200, String(got.bytes.length), 0]);
  const current = await raw(pagePath, { ...key.headers, 'if-none-match': '*' }, 'HEAD');
  expect(current.status).toBe(304);
  expect((await raw('/api/v1/pages', { ...key.headers, 'accept-encoding': 'br' }, 'HEAD')).bytes.length).toBe(0);
});

test('every answer, good or bad, tells browsers to do nothing with it', async () => {
  const answers = [await gateway.get('/api/v1/pages', key.headers), await gateway.get('/api/v1/pages'), await gateway.get('/nowhere'), await gateway.sendRaw('/%zz', [])];
  for (const { headers } of answers) {
    expect(headers.get('content-security-policy')).toBe(`default-src 'none'; frame-ancestors 'none'`);
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('cache-control')).toBe('no-store');
    expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null]);
  }
});

test('no header makes one method of another', async () => {
  const headers = { ...key.headers, 'x-http-method-override': 'DELETE', 'x-http-method': 'DELETE', 'x-method-override': 'DELETE' };
  expect((await gateway.get(pagePath, headers)).status).toBe(200);
  expect(refusal(await gateway.post(pagePath, {}, headers))).toEqual([405, 'method_not_allowed']);
  expect((await gateway.get(`${pagePath}?_method=DELETE`, key.headers)).status).toBe(400);
});

test('an address is one spelling: slashes too many, another case and encoded slashes are not found', async () => {
  for (const path of ['/api/v1/pages/', '//api/v1/pages', '/api//v1/pages', '/api/v1//pages', '/API/v1/pages', '/api/v1%2Fpages', '/api/v1/pages;x=1', '/api/v1/./../pages']) {
    const answer = await gateway.sendRaw(path, ['Authorization', key.headers.authorization!, 'X-Workspace-Id', key.workspaceId]);
    expect([path, ...refusal(answer)]).toEqual([path, 404, 'not_found']);
  }
});

test.each(['http://evil.example/api/v1/pages', '/api/v1/pages?'])('what is made by way of %s has its address here, without host and query', async (target) => {
  const { status, headers, bytes } = await raw(target, { ...key.headers, 'content-type': 'application/json' }, 'POST', JSON.stringify({ url: 'https://example.com/made' }));
  expect([status, headers.location]).toEqual([201, `/api/v1/pages/${JSON.parse(bytes.toString()).id}`]);
});

test('a request that names a host before its path is the one without it: for what is allowed there, for its key and for its repeats', async () => {
  const wrongMethod = await raw('http://evil.example/api/v1/pages?limit=1', key.headers, 'PUT');
  expect([wrongMethod.status, wrongMethod.headers.allow]).toEqual([405, 'GET, HEAD, POST']);
  expect((await raw('http://evil.example/api/v1/nowhere', { authorization: 'Bearer nak_x' })).status).toBe(401);
  const make = (target: string) => raw(target, { ...key.headers, 'content-type': 'application/json', 'idempotency-key': 'host' }, 'POST', JSON.stringify({ url: 'https://example.com/once' }));
  const [first, repeat] = [await make('/api/v1/pages'), await make('http://evil.example/api/v1/pages')];
  expect([repeat.status, repeat.headers['idempotency-replayed'], repeat.headers.location]).toEqual([201, 'true', first.headers.location]);
});

test.each(['OPTIONS', 'PUT', 'TRACE', 'PROPFIND', 'QUERY'])('%s is answered with what is allowed', async (method) => {
  const { status, headers } = await raw('/api/v1/pages', key.headers, method);
  expect([status, headers.allow]).toEqual([405, 'GET, HEAD, POST']);
});

test('a request with more than 100 headers, or larger ones than 16 KiB, is refused before anything else', async () => {
  const many = Array.from({ length: 120 }, (_, i) => [`x-${i}`, '1']).flat();
  const answer = await gateway.sendRaw('/api/v1/pages', many);
  expect(refusal(answer)).toEqual([431, 'headers_too_large']);
  const large = await raw('/api/v1/pages', { 'x-large': 'x'.repeat(17_000) });
  expect([large.status, JSON.parse(large.bytes.toString())]).toMatchObject([431, { code: 'headers_too_large', status: 431, type: 'https://api.example.com/problems/headers_too_large' }]);
  expect(large.headers).toMatchObject({ 'content-type': 'application/problem+json', 'x-content-type-options': 'nosniff', 'x-request-id': expect.stringMatching(/^req_/) });
});

test('a compressed body is refused unread: it could be a thousand times its length', async () => {
  const body = gzipSync(JSON.stringify({ url: 'https://example.com' }));
  const answer = await raw('/api/v1/pages', { ...key.headers, 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'POST', body);
  expect([answer.status, answer.headers['accept-encoding'], JSON.parse(answer.bytes.toString()).code]).toEqual([415, 'identity', 'unsupported_media_type']);
});

test('a page of a problem tells programs and people what it means and what to do', async () => {
  const json = await gateway.get('/problems/idempotency_key_reused', { accept: '*/*' });
  expect(json.body).toMatchObject({ code: 'idempotency_key_reused', status: 422, title: expect.any(String), occurs: expect.any(String), remedy: expect.any(String) });
  const html = await raw('/problems/idempotency_key_reused', { accept: 'text/html,application/xhtml+xml' });
  expect([html.status, html.headers['content-type'], html.headers.vary]).toEqual([200, 'text/html; charset=utf-8', 'accept']);
  expect(html.bytes.toString()).toContain(json.body.remedy);
  expect(html.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; frame-ancestors 'none'$/);
  const index = await raw('/problems', { accept: 'text/html' });
  expect(index.bytes.toString()).toContain('href="https://api.example.com/problems/not_found"');
  expect(refusal(await gateway.get('/problems/%3Cscript%3E', { accept: 'text/html' }))).toEqual([404, 'not_found']);
});
