import { Resolver } from 'node:dns/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { CertificateAuthority, ConnectProxy, NameServer, refuse, WebhookReceiver } from '@na/testing';
import { proxyConnector } from '../src/deliveries/egress-proxy.js';
import { HostLookup } from '../src/deliveries/host-lookup.js';
import { proxyUrl } from '../src/deliveries/proxy-url.js';
import { meaningOf } from '../src/deliveries/send-error.js';
import { Sender } from '../src/deliveries/send.js';
import type { Hosts } from '../src/deliveries/target-addresses.js';
import { parseCidrs } from '../src/endpoints/target-address.js';

const authority = new CertificateAuthority();
const allowed = parseCidrs(['127.0.0.0/8']);
const closing: (() => unknown)[] = [];
beforeAll(() => tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority.cert]));
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Listens before a proxy of TLS, or in its place. `count` is how many connections there have been, this one included. */
async function startFront(onConnection: (client: Socket, count: number) => void): Promise<string> {
  const clients: Socket[] = [];
  const front = createServer((client) => onConnection(client, clients.push(client.on('error', () => undefined))));
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  closing.push(() => front.close(), () => clients.forEach((client) => client.destroy()));
  return `https://localhost:${(front.address() as AddressInfo).port}`;
}

/** @param startTime starts the time of the tunnel */
function tunnelTo(hostname: string, port: number, proxy: string, hosts: Hosts, startTime: () => AbortSignal): Promise<Socket> {
  const connector = proxyConnector(proxyUrl.parse(proxy)!, allowed, hosts, startTime);
  return new Promise((resolve, reject) => connector({ hostname, protocol: 'http:', port: String(port) }, (error, socket) => (error ? reject(error) : resolve(socket))));
}

test('the time of a tunnel begins when the name is resolved, however long that took', async () => {
  const [proxy, receiver] = [await ConnectProxy.start(), await WebhookReceiver.start()];
  closing.push(() => proxy.stop(), () => receiver.stop());
  const answered = Promise.withResolvers<void>();
  const order: string[] = [];
  const hosts: Hosts = {
    find: async () => {
      await answered.promise;
      order.push('resolved');
      return [{ address: '127.0.0.1', family: 4 }];
    },
  };
  const tunnel = tunnelTo('hooks.example', receiver.port, proxy.url(), hosts, () => {
    order.push('time started');
    return new AbortController().signal;
  });
  await new Promise(setImmediate);
  answered.resolve();
  (await tunnel).destroy();
  expect(order).toEqual(['resolved', 'time started']);
});

test('a name server that never answers is a dns_error through a proxy, too, and the proxy is asked for nothing', async () => {
  const [proxy, nameServer] = [await ConnectProxy.start(), await NameServer.start(() => 'silence')];
  const resolver = new Resolver();
  resolver.setServers([nameServer.address]);
  const sender = new Sender({ allowed, proxy: proxyUrl.parse(proxy.url()), hosts: new HostLookup(resolver, undefined, 50) });
  closing.push(() => proxy.stop(), () => nameServer.stop(), () => resolver.cancel(), () => sender.close());
  const outcome = await sender.send({ url: 'http://hooks.example/', headers: {}, body: Buffer.from('{}'), timeoutMs: 30_000 });
  expect(outcome).toMatchObject({ kind: 'unanswered', error: 'dns_error' });
  expect(proxy.requests).toEqual([]);
});

const withAddresses = (...addresses: string[]): Hosts => ({ find: async () => addresses.map((address) => ({ address, family: 4 })) });

test('when the time is up while the proxy is asked for another address, that is a timeout, and no fault of the proxy', async () => {
  const proxy = await ConnectProxy.start(refuse(502), authority.issue());
  closing.push(() => proxy.stop());
  const time = new AbortController();
  // Leads the first connection to the proxy, and leaves the second without its handshake.
  const url = await startFront((client, count) => {
    if (count > 1) return time.abort();
    client.pipe(connect(Number(new URL(proxy.url()).port), '127.0.0.1')).pipe(client);
  });
  const tunnel = tunnelTo('hooks.example', 80, url, withAddresses('127.0.0.1', '127.0.0.2'), () => time.signal);
  expect(await tunnel.catch(meaningOf)).toBe('timeout');
  expect([time.signal.aborted, proxy.requests.map(({ target }) => target)]).toEqual([true, ['127.0.0.1:80']]);
});

test('a proxy that takes no connection in time is still a proxy_error', async () => {
  const time = new AbortController();
  const url = await startFront(() => time.abort());
  expect(await tunnelTo('hooks.example', 80, url, withAddresses('127.0.0.1'), () => time.signal).catch(meaningOf)).toBe('proxy_error');
});
