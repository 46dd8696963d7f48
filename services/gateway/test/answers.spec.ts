import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { scopes } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { typeid } from 'typeid-js';
import { GatewayBed, operatorToken, type Answer, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
let key: TestKey;
beforeAll(async () => {
  gateway = await GatewayBed.start();
  key = gateway.newKey();
});
afterAll(() => gateway.stop());

const faults = ({ body }: Answer) => body.errors?.map(({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`);
const refusal = ({ status, body }: Answer) => [status, body.code];

async function postBytes(body: Buffer, type: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/api/v1/pages`, { method: 'POST', headers: { ...key.headers, 'content-type': type }, body: new Uint8Array(body) });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

test('a problem has the shape of RFC 9457, and its type is an address that explains it', async () => {
  const id = typeid('page').toString();
  const { status, headers, body } = await gateway.get(`/api/v1/pages/${id}`, key.headers);
  expect([status, headers.get('content-type')]).toEqual([404, expect.stringMatching(/^application\/problem\+json/)]);
  expect(body).toEqual({
    type: 'https://api.example.com/problems/not_found',
    title: 'Not found',
    status: 404,
    code: 'not_found',
    detail: `There is no page with the id ${id} in this workspace.`,
    request_id: headers.get('x-request-id'),
  });
  const explained = await gateway.get(new URL(body.type).pathname);
  expect([explained.status, explained.body.title]).toEqual([200, 'Not found']);
});

test('every answer has a request id of its own, which the client can not choose', async () => {
  const answers = [await gateway.get('/api/v1/pages', { ...key.headers, 'x-request-id': 'mine' }), await gateway.get('/nowhere'), await gateway.get('/api/v1/pages')];
  const ids = answers.map(({ headers }) => headers.get('x-request-id'));
  for (const id of ids) expect(id).toMatch(/^req_[0-9a-z]{26}$/);
  expect(new Set(ids).size).toBe(3);
  expect(answers.map(({ headers }) => headers.get('x-content-type-options'))).toEqual(['nosniff', 'nosniff', 'nosniff']);
});

test('a page of another workspace, one that does not exist and what is no id answer alike', async () => {
  const other = gateway.newKey();
  const { body: foreign } = await gateway.post('/api/v1/pages', { url: 'https://example.com' }, other.headers);
  const answers = [];
  for (const id of [foreign.id, typeid('page').toString(), 'page_1', 'x', '%00', 'p'.repeat(90)]) {
    const { status, body } = await gateway.get(`/api/v1/pages/${id}`, key.headers);
    answers.push([status, { ...body, request_id: '', detail: body.detail.replace(decodeURIComponent(id), 'ID') }]);
  }
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]![0]).toBe(404);
});

test('unknown, missing and wrong fields are named by pointers, all at once', async () => {
  const answer = await gateway.post('/api/v1/pages', { titel: 'x', title: 5, time_zone: 'Mars/Olympus', 'a/b': 1 }, key.headers);
  expect(refusal(answer)).toEqual([400, 'invalid_request']);
  expect(faults(answer).sort()).toEqual(['/a~1b unknown_field', '/time_zone unknown_time_zone', '/titel unknown_field', '/title invalid_type', '/url required']);
});

test('what no service could store or use is refused here: control characters, other schemes, no body at all', async () => {
  const attempt = async (body: unknown) => faults(await gateway.post('/api/v1/pages', body, key.headers));
  expect(await attempt({ url: 'https://example.com', title: 'a\0b' })).toEqual(['/title invalid_value']);
  expect(await attempt({ url: 'https://example.com', title: '\ud800' })).toEqual(['/title invalid_value']);
  expect(await attempt({ url: 'javascript:alert(1)' })).toEqual(['/url invalid_format']);
  expect(await attempt('')).toEqual([' required']);
  expect(await attempt('[]')).toEqual([' invalid_type']);
});

test('a body that is broken, too large or of another type is a problem of its own', async () => {
  expect(refusal(await gateway.post('/api/v1/pages', '{"url":', key.headers))).toEqual([400, 'invalid_request']);
  expect(refusal(await gateway.post('/api/v1/pages', '{"__proto__":{"x":1}}', key.headers))).toEqual([400, 'invalid_request']);
  expect(refusal(await gateway.post('/api/v1/pages', JSON.stringify('x'.repeat(1024 * 1024)), key.headers))).toEqual([413, 'payload_too_large']);
  const form = { ...key.headers, 'content-type': 'application/x-www-form-urlencoded' };
  expect(refusal(await gateway.send('POST', '/api/v1/pages', form, 'url=x'))).toEqual([415, 'unsupported_media_type']);
});

test('a body that is not UTF-8 is refused, and not stored as something else', async () => {
  const count = () => gateway.state.pages.length;
  const before = count();
  const latin1 = Buffer.from('{"url":"https://example.com/utf8","title":"Caf\u00e9"}', 'latin1');
  const broken = await postBytes(latin1, 'application/json');
  expect([...refusal(broken), broken.body.detail]).toEqual([400, 'invalid_request', 'The body is not valid UTF-8.']);
  const page = '{"url":"https://example.com/charset","title":"Preis"}';
  for (const name of ['utf-16', 'latin1', '"ISO-8859-1"']) {
    expect(refusal(await postBytes(Buffer.from(page), `application/json; charset=${name}`))).toEqual([415, 'unsupported_media_type']);
  }
  expect(count()).toBe(before);
  for (const name of ['utf-8', '"UTF-8"', 'utf8']) expect((await postBytes(Buffer.from(page), `application/json;charset=${name}`)).status).toBe(201);
});

test('broken JSON and names that no field may have are told apart', async () => {
  const detail = async (body: string) => (await gateway.post('/api/v1/pages', body, key.headers)).body.detail as string;
  expect(await detail('{"url":')).toBe('The body is not valid JSON.');
  expect(await detail('{"__proto__":{}}')).toMatch(/^The body has a member "__proto__"/);
});

test.each(['name=%ff', 'name=%zz', 'name=%', 'limit=5&name=%c3%28'])('a query such as %s is refused, and not looked for as it stands', async (query) => {
  const answer = await gateway.sendRaw(`/api/v1/keys?${query}`, Object.entries(key.headers).flat());
  expect([...refusal(answer), answer.body.detail]).toEqual([400, 'invalid_request', 'The query is not valid: its percent-encoding is not that of UTF-8.']);
});

/** By whom, how and where a text is given that people tell things apart by; `isName`: it must not be blank either. */
const shownTexts = [
  ['the name of a key', { path: '/api/v1/keys', body: { access: 'read_only' }, field: 'name', isName: true }],
  ['the new name of a key', { method: 'PATCH', path: `/api/v1/keys/${typeid('key').toString()}`, body: {}, field: 'name', isName: true }],
  ['the name of a goal', { path: '/api/v1/goals', body: { event_name: 'signup' }, field: 'name', isName: true }],
  ['the name of a workspace', { path: '/api/v1/workspaces', body: {}, field: 'name', isName: true, token: operatorToken }],
  ['the new name of a workspace', { method: 'PATCH', path: `/api/v1/workspaces/${typeid('ws').toString()}`, body: {}, field: 'name', isName: true }],
  ['the title of a page', { path: '/api/v1/pages', body: { url: 'https://example.com' }, field: 'title' }],
  ['the description of a webhook', { path: '/api/v1/webhooks', body: { url: 'https://example.com', event_types: ['*'] }, field: 'description' }],
  ['the new description of a webhook', { method: 'PATCH', path: `/api/v1/webhooks/${typeid('we').toString()}`, body: {}, field: 'description' }],
  ['the reason why a webhook is disabled', { path: `/api/v1/webhooks/${typeid('we').toString()}/disable`, body: {}, field: 'reason' }],
] as [string, { method?: string; path: string; body: object; field: string; isName?: boolean; token?: string }][];

test.each(shownTexts)('%s is one line of what can be seen: in a list it would pass for another, or for none', async (_what, { method = 'POST', path, body, field, isName, token }) => {
  const { headers } = gateway.newKey({ scopes: [...scopes] });
  const sender = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
  const faultsWith = async (text: string) => faults(await gateway.send(method, path, { ...sender, 'content-type': 'application/json' }, JSON.stringify({ ...body, [field]: text })));
  for (const text of ['CI\u0000', 'CI\u0007', 'CI\u0085', 'a\nb', 'a\r\nb', 'a\u2028b', 'safe\u202eevil', 'x\u2066y', 'x\u200fy']) {
    expect([text, await faultsWith(text)]).toEqual([text, [`/${field} invalid_value`]]);
  }
  for (const text of [' ', '\u00a0 ']) expect(await faultsWith(text)).toEqual(isName ? [`/${field} invalid_value`] : undefined);
  for (const text of ['Größe 👩‍👩‍👧', 'שלום', 'نجمة', ...(isName ? [] : [''])]) expect([text, await faultsWith(text)]).toEqual([text, undefined]);
});

test('what only the operator may do names no scope, since no key can have one for it', async () => {
  const { status, body, headers } = await gateway.post('/api/v1/workspaces', { name: 'Acme' }, key.headers);
  expect([status, body.code, body.detail]).toEqual([403, 'insufficient_scope', 'Only the operator of this installation may do this.']);
  expect(headers.get('www-authenticate')).toBe('Bearer realm="api", error="insufficient_scope"');
});

test('a body nested deeper than any stack is refused like any other', async () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  const inUnknownField = await gateway.post('/api/v1/pages', `{"url":"https://example.com","x":${deep}}`, key.headers);
  const inProps = await gateway.post('/api/v1/track', `{"type":"pageview","url":"https://example.com","props":{"x":${deep}}}`, key.headers);
  expect([faults(inUnknownField), faults(inProps)]).toEqual([['/x unknown_field'], ['/props out_of_bounds']]);
});

test('a wrong method is told from a wrong address', async () => {
  const wrongMethod = await gateway.send('DELETE', '/api/v1/pages?x=1', key.headers);
  expect([...refusal(wrongMethod), wrongMethod.headers.get('allow')]).toEqual([405, 'method_not_allowed', 'GET, HEAD, POST']);
  expect(refusal(await gateway.get('/api/v1/paegs', key.headers))).toEqual([404, 'not_found']);
  expect(refusal(await gateway.get('/api/v1/pages/', key.headers))).toEqual([404, 'not_found']);
  expect(refusal(await gateway.get(`/api/v1/pages/${'x'.repeat(5_000)}`, key.headers))).toEqual([404, 'not_found']);
});

test('HEAD asks who is there like GET', async () => {
  expect((await gateway.send('HEAD', '/api/v1/pages', {})).status).toBe(401);
  expect((await gateway.send('HEAD', '/api/v1/pages', key.headers)).status).toBe(200);
});

test('an address with a broken escape is a problem like any other', async () => {
  const answer = await gateway.sendRaw('/api/v1/pages/%zz', ['Authorization', key.headers.authorization!]);
  expect(refusal(answer)).toEqual([400, 'invalid_request']);
  expect(answer.headers.get('x-request-id')).toBe(answer.body.request_id);
});

test('what is not even HTTP gets a problem and a closed connection', async () => {
  const socket = connect(gateway.port, '127.0.0.1');
  socket.write('HELLO THERE\r\n\r\n');
  const [head, body] = (await text(socket)).split('\r\n\r\n');
  expect(head).toContain('HTTP/1.1 400 Bad Request');
  expect(JSON.parse(body!)).toMatchObject({ code: 'invalid_request', status: 400, detail: 'This is not HTTP, or its method is none that is known here.' });
});

test('a fault inside a service shows nothing of itself', async () => {
  gateway.state.fault = new Error('SELECT secret FROM table');
  const answer = await gateway.get(`/api/v1/pages/${typeid('page').toString()}`, key.headers);
  gateway.state.fault = undefined;
  expect(refusal(answer)).toEqual([500, 'internal']);
  expect(JSON.stringify(answer.body)).not.toContain('SELECT');
});

test('a service that is away is 503, with the time to come back', async () => {
  const answer = await gateway.get('/api/v1/goals', { ...gateway.newKey({ scopes: ['goals:read'] }).headers });
  expect([...refusal(answer), answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
});

test('what a service says of single fields reaches the client', async () => {
  gateway.state.fault = new ServiceError('conflict', 'Taken.', { fields: [{ pointer: '/url', code: 'taken', detail: 'Used.' }] });
  const answer = await gateway.get(`/api/v1/pages/${typeid('page').toString()}`, key.headers);
  gateway.state.fault = undefined;
  expect([...refusal(answer), answer.body.errors]).toEqual([409, 'conflict', [{ pointer: '/url', code: 'taken', detail: 'Used.' }]]);
});
