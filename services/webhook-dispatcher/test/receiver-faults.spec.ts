import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import {
  answer, byteByByte, CertificateAuthority, closeAfter, drip, dripHead, endlessBody, eventually, gzipBomb, hang, hugeBody, hugeHead, informationalFlood, inTurn,
  malformed, rawAnswer, reset, resetMidBody, resetMidHead, resetOnReuse, selfSigned, WebhookReceiver, type Behaviour, type Certificate,
} from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';

const authority = new CertificateAuthority();
const receivers: WebhookReceiver[] = [];
let dispatcher: DispatcherBed;
beforeAll(async () => {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority.cert]);
  dispatcher = await DispatcherBed.start();
});
afterAll(() => dispatcher.stop());
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

async function startReceiver(behaviour: Behaviour, certificate?: Certificate): Promise<WebhookReceiver> {
  const receiver = await WebhookReceiver.start(behaviour, certificate);
  receivers.push(receiver);
  return receiver;
}

/** Publishes an event for an endpoint at this address, in a workspace of its own. */
async function publishTo(url: string, timeoutMs?: number): Promise<string> {
  const { workspaceId } = await dispatcher.createEndpoint(url, { timeoutMs });
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  return workspaceId;
}

/** The only delivery of a workspace after its first attempt, with what is recorded of that attempt. */
async function firstAttempt(workspaceId: string, status: 'succeeded' | 'retrying') {
  const { id } = await dispatcher.deliveryIn(workspaceId, status, 1);
  const { delivery, attemptLog } = await dispatcher.deliveries.getDelivery({ caller: { workspaceId }, id });
  return { delivery: delivery!, attempt: attemptLog[0]! };
}

const head = (...lines: string[]) => `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`;

test.each<[string, Behaviour, string]>([
  ['breaks off before it answers', reset, 'connection_reset'],
  ['breaks off in its head', resetMidHead, 'connection_reset'],
  ['does not speak HTTP', malformed, 'malformed_response'],
  ['answers with a status that is none', rawAnswer('HTTP/1.1 099 Really\r\n\r\n'), 'malformed_response'],
  ['has a NUL in a header', rawAnswer(head('X-Odd: a\0b')), 'malformed_response'],
  ['announces two lengths at once', rawAnswer(head('Content-Length: 5', 'Transfer-Encoding: chunked'), '0\r\n\r\n'), 'malformed_response'],
  ['changes the protocol unasked', rawAnswer('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: tea\r\n\r\n'), 'malformed_response'],
  ['sends informational answers without end', informationalFlood, 'malformed_response'],
  ['answers with 1 MB of headers', hugeHead(1024 * 1024), 'response_too_large'],
])('a receiver that %s is sent the request once, and the attempt says what happened', async (_name, behaviour, error) => {
  const receiver = await startReceiver(behaviour);
  const { delivery, attempt } = await firstAttempt(await publishTo(receiver.url), 'retrying');
  expect([delivery.error, attempt.error]).toEqual([error, error]);
  expect(delivery.responseCode).toBeUndefined();
  expect(receiver.requests).toHaveLength(1);
});

const chunked = (...chunks: string[]) => rawAnswer(head('Transfer-Encoding: chunked'), ...chunks);
const neverEnding: Behaviour = (response) => void response.writeHead(200, { 'content-length': '1000' }).write('half');

test.each<[string, Behaviour, string, string, Record<string, string>]>([
  ['breaks off in its body', resetMidBody, 'connection_reset', 'only this much', { 'content-length': '1000' }],
  ['sends less than it announced', rawAnswer(head('Content-Length: 1000', 'Connection: close'), 'half'), 'connection_reset', 'half', { 'content-length': '1000' }],
  ['ends before its last chunk', chunked('4\r\nhalf\r\n'), 'connection_reset', 'half', { 'transfer-encoding': 'chunked' }],
  ['sends a chunk that is none', chunked('4\r\nhalf\r\n', 'odd\r\n'), 'malformed_response', 'half', { 'transfer-encoding': 'chunked' }],
  ['stops in its body', neverEnding, 'timeout', 'half', { 'content-length': '1000' }],
])('of the answer of a receiver that %s, its head and what came of its body are kept', async (_name, behaviour, error, body, headers) => {
  const receiver = await startReceiver(behaviour);
  const { delivery, attempt } = await firstAttempt(await publishTo(receiver.url, 500), 'retrying');
  expect(delivery).toMatchObject({ error, responseCode: 200, responseBody: body });
  expect(attempt).toMatchObject({ error, responseCode: 200, responseBody: body, responseHeaders: headers });
  expect(receiver.requests).toHaveLength(1);
});

test.each<[string, Behaviour]>([
  ['never answers', hang],
  ['drips its head', dripHead(20)],
  ['drips its body', drip(20)],
])('a receiver that %s is given up when its time is over', async (_name, behaviour) => {
  const receiver = await startReceiver(behaviour);
  expect((await firstAttempt(await publishTo(receiver.url, 200), 'retrying')).delivery.error).toBe('timeout');
});

test('an answer that breaks off after it has asked for time is given it', async () => {
  const receiver = await startReceiver((response) => void response.writeHead(503, { 'retry-after': '3600' }).write('later'));
  const workspaceId = await publishTo(receiver.url, 300);
  await firstAttempt(workspaceId, 'retrying');
  const { endpoints } = await dispatcher.endpoints.listEndpoints({ caller: { workspaceId } });
  expect(endpoints[0]!.pausedUntil).toBeDefined();
});

test('an answer of 410 that breaks off is one all the same', async () => {
  const receiver = await startReceiver(rawAnswer('HTTP/1.1 410 Gone\r\nContent-Length: 100\r\n\r\n', 'gone'));
  const workspaceId = await publishTo(receiver.url);
  expect(await dispatcher.deliveryIn(workspaceId, 'failed', 1)).toMatchObject({ responseCode: 410, error: 'connection_reset' });
  const { endpoints } = await dispatcher.endpoints.listEndpoints({ caller: { workspaceId } });
  expect(endpoints[0]).toMatchObject({ status: 'disabled', disabledReason: expect.stringContaining('410') });
});

test('a redirect is a failed attempt, and nothing is sent to where it leads', async () => {
  const target = await startReceiver(answer(200));
  const receiver = await startReceiver(answer(307, '', { location: target.url }));
  const { delivery, attempt } = await firstAttempt(await publishTo(receiver.url), 'retrying');
  expect(delivery.responseCode).toBe(307);
  expect(attempt.responseHeaders).toMatchObject({ location: target.url });
  expect(target.requests).toEqual([]);
});

test('a redirect to a metadata address is a failed attempt like any other', async () => {
  const receiver = await startReceiver(answer(302, '', { location: 'http://169.254.169.254/latest/meta-data' }));
  expect((await firstAttempt(await publishTo(receiver.url), 'retrying')).delivery).toMatchObject({ responseCode: 302, attempts: 1 });
});

test.each<[string, Behaviour, string]>([
  ['in chunks of one byte', byteByByte('thank you'), 'thank you'],
  ['by HTTP/1.0, until the connection closes', rawAnswer('HTTP/1.0 200 OK\r\n\r\nold but good'), 'old but good'],
  ['with 204 and a body all the same', rawAnswer('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello'), ''],
  ['with more than was announced', rawAnswer(head('Content-Length: 5'), 'hello, world'), 'hello'],
  ['after early hints', rawAnswer('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', head('Content-Length: 4'), 'real'), 'real'],
  ['with NUL bytes and broken UTF-8', rawAnswer(head('Content-Length: 4'), Buffer.from([0x61, 0x00, 0xff, 0x62])), 'a␀\ufffdb'],
])('an answer %s is taken and kept readable', async (_name, behaviour, body) => {
  const receiver = await startReceiver(behaviour);
  expect((await firstAttempt(await publishTo(receiver.url), 'succeeded')).delivery.responseBody).toBe(body);
});

test('a long answer is not cut within a character', async () => {
  const receiver = await startReceiver(answer(200, `x${'é'.repeat(20_000)}`));
  const { delivery } = await firstAttempt(await publishTo(receiver.url), 'succeeded');
  expect(delivery.responseBody).toBe(`x${'é'.repeat((16 * 1024 - 2) / 2)}`);
});

test('headers with odd names and bytes are kept: as UTF-8 if they are that, or else as Latin-1', async () => {
  const odd = Buffer.from(head('X-Odd: caf\xe9 \x80', 'X-Utf8: caf\xc3\xa9', '__proto__: strange', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'Content-Length: 0'), 'latin1');
  const receiver = await startReceiver(rawAnswer(odd));
  const { attempt } = await firstAttempt(await publishTo(receiver.url), 'succeeded');
  expect(Object.entries(attempt.responseHeaders).sort()).toEqual([
    ['__proto__', 'strange'],
    ['content-length', '0'],
    ['set-cookie', 'a=1, b=2'],
    ['x-odd', 'caf\xe9 \x80'],
    ['x-utf8', 'caf\xe9'],
  ]);
});

test('what is compressed is never decompressed', async () => {
  const receiver = await startReceiver(gzipBomb(50 * 1024 * 1024));
  const { delivery, attempt } = await firstAttempt(await publishTo(receiver.url), 'succeeded');
  expect(attempt.responseHeaders).toMatchObject({ 'content-encoding': 'gzip' });
  // The magic number of gzip, its second byte no UTF-8.
  expect(delivery.responseBody!.startsWith('\x1f\ufffd\b')).toBe(true);
  expect(delivery.responseBody!.length).toBeLessThanOrEqual(16 * 1024);
});

test.each<[string, Behaviour]>([
  ['has no end', endlessBody],
  ['announces 10 GB', hugeBody(10 * 1024 ** 3)],
])('of an answer that %s 16 KiB are kept, and the connection is let go once 64 KiB are read', async (_name, behaviour) => {
  const sent = Promise.withResolvers<number>();
  const receiver = await startReceiver((response, request, count) => {
    const { socket } = response;
    socket!.on('close', () => sent.resolve(socket!.bytesWritten));
    behaviour(response, request, count);
  });
  const { delivery } = await firstAttempt(await publishTo(receiver.url), 'succeeded');
  expect(delivery.responseBody).toBe('x'.repeat(16 * 1024));
  // The rest lay in the buffers of two sockets when the connection went.
  expect(await sent.promise).toBeLessThan(32 * 1024 ** 2);
});

test.each<[string, () => Certificate]>([
  ['it signed itself', () => selfSigned()],
  ['has expired', () => authority.issue({ validFrom: new Date('2020-01-01'), validUntil: new Date('2021-01-01') })],
  ['is not valid yet', () => authority.issue({ validFrom: new Date('2048-01-01'), validUntil: new Date('2049-01-01') })],
  ['is for another host', () => authority.issue({ hosts: ['elsewhere.example'] })],
])('a receiver is sent nothing over TLS when its certificate %s', async (_name, certificate) => {
  const receiver = await startReceiver(answer(200), certificate());
  expect((await firstAttempt(await publishTo(receiver.url), 'retrying')).delivery.error).toBe('tls_error');
  expect(receiver.requests).toEqual([]);
});

test('a port that does not speak TLS is no reason to speak without it', async () => {
  const receiver = await startReceiver(answer(200));
  const { delivery } = await firstAttempt(await publishTo(receiver.url.replace('http:', 'https:')), 'retrying');
  expect([delivery.error, receiver.requests]).toEqual(['tls_error', []]);
});

test.each<[string, () => Certificate | undefined]>([
  ['plain', () => undefined],
  ['TLS', () => authority.issue()],
])('what meets a kept %s connection that its server has just closed goes out again at once, over a new one', async (_name, certificate) => {
  const receiver = await startReceiver(resetOnReuse(answer(200)), certificate());
  await firstAttempt(await publishTo(receiver.url), 'succeeded');
  await firstAttempt(await publishTo(receiver.url), 'succeeded');
  const [, broken, repeated] = await receiver.received(3);
  expect(repeated!.body).toEqual(broken!.body);
  expect(repeated!.headers).toEqual({ ...broken!.headers, connection: 'close' });
});

test('a kept connection that breaks in the middle of an answer is a failed attempt, and not tried again at once', async () => {
  const receiver = await startReceiver(resetOnReuse(answer(200), resetMidHead));
  await firstAttempt(await publishTo(receiver.url), 'succeeded');
  expect((await firstAttempt(await publishTo(receiver.url), 'retrying')).delivery.error).toBe('connection_reset');
  expect(receiver.requests).toHaveLength(2);
});

test.each<[string, Behaviour]>([
  ['closes every connection after its answer', closeAfter(answer(200))],
  ['breaks every connection that is used again', resetOnReuse(answer(200))],
])('a burst to a receiver that %s costs no failed attempt', async (_name, behaviour) => {
  const receiver = await startReceiver(behaviour);
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await Promise.all(Array.from({ length: 50 }, () => dispatcher.publish(dispatcher.pageCreated(workspaceId))));
  await receiver.received(50);
  await eventually(async () => {
    const deliveries = await dispatcher.untilListed(workspaceId, 50);
    expect(deliveries.map(({ status, attempts }) => `${status} ${attempts}`)).toEqual(Array(50).fill('succeeded 1'));
  });
});

test('an answer that is sent before it was asked for counts for nothing', async () => {
  const both = head('Content-Length: 0').repeat(2);
  const receiver = await startReceiver(inTurn((response) => void response.socket!.write(both), answer(500)));
  await firstAttempt(await publishTo(receiver.url), 'succeeded');
  expect((await firstAttempt(await publishTo(receiver.url), 'retrying')).delivery.responseCode).toBe(500);
});
