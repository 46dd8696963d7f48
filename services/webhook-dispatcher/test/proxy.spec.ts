import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { answer, CertificateAuthority, ConnectProxy, inTurn, refuse, selfSigned, tunnel, tunnelFor, WebhookReceiver, type Certificate, type ProxyBehaviour } from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';

const authority = new CertificateAuthority();
const credentials = 'dispatcher:p@ss';
let proxy: ConnectProxy;
let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority.cert]);
  proxy = await ConnectProxy.start();
  dispatcher = await DispatcherBed.start({ egressProxyUrl: proxy.url('dispatcher:p%40ss') });
});
afterAll(async () => {
  await dispatcher.stop();
  await proxy.stop();
});
beforeEach(() => {
  proxy.behave(tunnel);
  proxy.requests.length = 0;
});
afterEach(() => receiver.stop());

async function startReceiver(certificate?: Certificate): Promise<void> {
  receiver = await WebhookReceiver.start(answer(200), certificate);
}

/** Publishes an event for an endpoint at this address, in a workspace of its own. */
async function publishTo(url: string, { of = dispatcher, ...settings }: { of?: DispatcherBed; timeoutMs?: number; maxAttempts?: number } = {}): Promise<string> {
  const { workspaceId } = await of.createEndpoint(url, settings);
  await of.publish(of.pageCreated(workspaceId));
  return workspaceId;
}

test.each<[string, () => Certificate | undefined]>([
  ['https', () => authority.issue()],
  ['http', () => undefined],
])('an %s attempt goes through the proxy, which is told a checked address and nothing of the request', async (_scheme, certificate) => {
  await startReceiver(certificate());
  const url = receiver.url.replace('127.0.0.1', 'localhost');
  await dispatcher.deliveryIn(await publishTo(url), 'succeeded', 1);
  expect(proxy.requests.map(({ target }) => target)).toEqual([`127.0.0.1:${receiver.port}`]);
  expect(Object.keys(proxy.requests[0]!.headers).sort()).toEqual(['connection', 'host', 'proxy-authorization']);
  expect(receiver.requests).toHaveLength(1);
  expect(receiver.requests[0]!.headers.host).toBe(`localhost:${receiver.port}`);
});

test("a receiver's certificate is checked against the name in its URL, not the address of the tunnel", async () => {
  await startReceiver(authority.issue({ hosts: ['localhost'] }));
  await dispatcher.deliveryIn(await publishTo(receiver.url), 'succeeded', 1);
  expect(receiver.requests[0]!.servername).toBe('localhost');
  await receiver.stop();
  await startReceiver(authority.issue({ hosts: ['127.0.0.1'] }));
  expect(await dispatcher.deliveryIn(await publishTo(receiver.url), 'retrying', 1)).toMatchObject({ error: 'tls_error' });
  expect(receiver.requests).toEqual([]);
});

test('the proxy is shown its credentials, and the receiver is not', async () => {
  await startReceiver();
  proxy.behave(tunnelFor(credentials));
  await dispatcher.deliveryIn(await publishTo(receiver.url), 'succeeded', 1);
  expect(receiver.requests[0]!.headers).not.toHaveProperty('proxy-authorization');
});

test('a tunnel is kept for the next attempt', async () => {
  await startReceiver();
  await dispatcher.deliveryIn(await publishTo(receiver.url), 'succeeded', 1);
  await dispatcher.deliveryIn(await publishTo(receiver.url), 'succeeded', 1);
  expect([receiver.requests.length, proxy.requests.length]).toEqual([2, 1]);
});

const hangUp: ProxyBehaviour = (client) => void client.end();
const gibberish: ProxyBehaviour = (client) => void client.end('HELLO THERE\r\n\r\n');
const silent: ProxyBehaviour = () => undefined;

test.each<[string, ProxyBehaviour, string]>([
  ['wants other credentials', tunnelFor('someone:else'), 'proxy_error'],
  ['forbids it', refuse(403), 'proxy_error'],
  ['is broken', refuse(500), 'proxy_error'],
  ['hangs up', hangUp, 'proxy_error'],
  ['does not speak HTTP', gibberish, 'proxy_error'],
  ['can not connect (502)', refuse(502), 'host_unreachable'],
  ['can not connect (503)', refuse(503), 'host_unreachable'],
  ['could not connect in time (504)', refuse(504), 'timeout'],
  ['does not answer', silent, 'timeout'],
])('when the proxy %s the attempt says so, and nothing reaches the receiver', async (_name, behaviour, error) => {
  await startReceiver();
  proxy.behave(behaviour);
  const workspaceId = await publishTo(receiver.url, { timeoutMs: behaviour === silent ? 200 : undefined });
  expect(await dispatcher.deliveryIn(workspaceId, 'retrying', 1)).toMatchObject({ error });
  expect(receiver.requests).toEqual([]);
});

test('a proxy that is away uses up no attempt, and once it is well again, so are deliveries', async () => {
  await startReceiver();
  proxy.behave(refuse(403));
  const workspaceId = await publishTo(receiver.url, { maxAttempts: 1 });
  const first = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  dispatcher.moveTo(first);
  const second = await dispatcher.deliveryIn(workspaceId, 'retrying', 2);
  expect([first.maxAttempts, second.maxAttempts]).toEqual([2, 3]);
  const waitMs = timestampDate(second.nextRetryAt!).getTime() - timestampDate(second.lastAttemptAt!).getTime();
  expect(waitMs).toBeLessThanOrEqual(24_000);
  proxy.behave(tunnel);
  receiver.behave(answer(500));
  dispatcher.moveTo(second);
  expect(await dispatcher.deliveryIn(workspaceId, 'failed', 3)).toMatchObject({ maxAttempts: 3 });
});

test('a test delivery to a disabled webhook is attempted once, be it our proxy that is away', async () => {
  await startReceiver();
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id });
  proxy.behave(refuse(403));
  await dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id, eventType: 'webhook.test' });
  expect(await dispatcher.deliveryIn(workspaceId, 'failed', 1)).toMatchObject({ error: 'proxy_error', maxAttempts: 1 });
});

test('a receiver that closes its end of a kept tunnel costs no failed attempt', async () => {
  await startReceiver();
  receiver.behave(inTurn(answer(200), (response) => void response.socket!.destroy(), answer(200)));
  await dispatcher.deliveryIn(await publishTo(receiver.url), 'succeeded', 1);
  await dispatcher.deliveryIn(await publishTo(receiver.url), 'succeeded', 1);
  expect([receiver.requests.length, proxy.requests.length]).toEqual([3, 2]);
});

test('a receiver that breaks a new tunnel is a failed attempt: what the proxy said is no answer of its', async () => {
  await startReceiver();
  receiver.behave((response) => void response.socket!.destroy());
  expect(await dispatcher.deliveryIn(await publishTo(receiver.url), 'retrying', 1)).toMatchObject({ error: 'connection_reset' });
  expect(receiver.requests).toHaveLength(1);
});

describe('with another proxy', () => {
  let other: DispatcherBed;
  let otherProxy: ConnectProxy | undefined;
  beforeAll(async () => void (other = await DispatcherBed.withoutDispatcher()));
  afterAll(() => other.stop());
  afterEach(async () => {
    await other.stopDispatchers();
    await otherProxy?.stop();
    otherProxy = undefined;
  });

  async function startTlsProxy(certificate: Certificate): Promise<string> {
    otherProxy = await ConnectProxy.start(tunnel, certificate);
    return otherProxy.url();
  }

  test('the proxy is never asked for an address that webhooks may not reach', async () => {
    await startReceiver();
    await other.startDispatcher({ egressProxyUrl: proxy.url(), allowedCidrs: [] });
    for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254']) {
      const workspaceId = await other.createEndpointAt(receiver.url.replace('127.0.0.1', host));
      await other.publish(other.pageCreated(workspaceId));
      expect(await other.deliveryIn(workspaceId, 'retrying', 1)).toMatchObject({ error: 'address_blocked' });
    }
    expect(proxy.requests).toEqual([]);
  });

  test('TLS to the proxy is spoken, and TLS to the receiver inside it', async () => {
    await startReceiver(authority.issue());
    await other.startDispatcher({ egressProxyUrl: await startTlsProxy(authority.issue()) });
    await other.deliveryIn(await publishTo(receiver.url, { of: other }), 'succeeded', 1);
    expect(otherProxy!.requests).toHaveLength(1);
  });

  test.each<[string, () => Promise<string>]>([
    ['is not there', () => Promise.resolve('http://127.0.0.1:1')],
    ['can not be resolved', () => Promise.resolve('http://proxy.invalid:3128')],
    ['has a certificate of its own making', () => startTlsProxy(selfSigned())],
  ])('a proxy that %s is a proxy_error', async (_name, urlOf) => {
    await startReceiver();
    await other.startDispatcher({ egressProxyUrl: await urlOf() });
    expect(await other.deliveryIn(await publishTo(receiver.url, { of: other }), 'retrying', 1)).toMatchObject({ error: 'proxy_error' });
    expect(receiver.requests).toEqual([]);
  });
});
