import { ADDRCONFIG, type LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { afterEach, expect, test } from '@jest/globals';
import { NameServer, WebhookReceiver, eventually, type NameAnswer, type NameBehaviour } from '@na/testing';
import { HostLookup } from '../src/deliveries/host-lookup.js';
import { MachineNames, type Getaddrinfo } from '../src/deliveries/machine-names.js';
import type { Outcome } from '../src/deliveries/outcome.js';
import { meaningOf } from '../src/deliveries/send-error.js';
import { Sender } from '../src/deliveries/send.js';
import type { Hosts } from '../src/deliveries/target-addresses.js';
import { parseCidrs } from '../src/endpoints/target-address.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startNameServer(behaviour: NameBehaviour) {
  const server = await NameServer.start(behaviour);
  const resolver = new Resolver();
  resolver.setServers([server.address]);
  closing.push(() => server.stop(), async () => resolver.cancel());
  return { server, resolver };
}

/** Knows of this machine only what it is given, and notes what it was asked for. */
function machineWith(known: Record<string, LookupAddress[]> = {}) {
  const asked: string[] = [];
  const getaddrinfo: Getaddrinfo = (name) => {
    asked.push(name);
    return known[name] ? Promise.resolve(known[name]) : Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }));
  };
  return { asked, names: new MachineNames(getaddrinfo) };
}

/** A machine that answers when it is told to. */
function slowMachine() {
  const open = new Map<string, () => void>();
  const names = new MachineNames(async (name) => {
    await new Promise<void>((resolve) => open.set(name, resolve));
    return [{ address: '127.0.0.1', family: 4 }];
  });
  const answer = (name: string) => {
    open.get(name)!();
    open.delete(name);
  };
  return { open, answer, names };
}

function senderOver(hosts: Hosts, allowedCidrs = ['127.0.0.0/8', '::1/128']): Sender {
  const sender = new Sender({ allowed: parseCidrs(allowedCidrs), proxy: undefined, hosts });
  closing.push(() => sender.close());
  return sender;
}

async function startReceiver(): Promise<WebhookReceiver> {
  const receiver = await WebhookReceiver.start();
  closing.push(() => receiver.stop());
  return receiver;
}

const attemptAt = (url: string) => ({ url, headers: {}, body: Buffer.from('{}'), timeoutMs: 30_000 });
const attemptByName = ({ url }: WebhookReceiver) => attemptAt(url.replace('127.0.0.1', 'hooks.example'));

test('an attempt goes where DNS leads it, and getaddrinfo is not asked', async () => {
  const { server, resolver } = await startNameServer((_name, type) => (type === 'A' ? ['127.0.0.1'] : ['::1']));
  const machine = machineWith();
  const receiver = await startReceiver();
  const outcome = await senderOver(new HostLookup(resolver, machine.names)).send(attemptByName(receiver));
  expect(outcome).toMatchObject({ kind: 'answered', status: 200 });
  expect([server.questions.toSorted(), machine.asked]).toEqual([['A hooks.example', 'AAAA hooks.example'], []]);
});

/** Of which receivers listen at the forbidden one alone. */
const [allowed, forbidden] = [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }];

test.each([
  ['first', [forbidden, allowed]],
  ['last', [allowed, forbidden]],
])('an address that webhooks may not reach is not connected to, also when DNS gives it %s among others', async (_place, addresses) => {
  const receiver = await startReceiver();
  const outcome = await senderOver({ find: async () => addresses }, ['::1/128']).send(attemptByName(receiver));
  expect([outcome.kind, receiver.requests]).toEqual(['unanswered', []]);
});

test('addresses that webhooks may reach are used whatever else DNS gives beside them', async () => {
  const receiver = await startReceiver();
  const addresses = ['10.0.0.1', '127.0.0.1', '169.254.169.254'].map((address) => ({ address, family: 4 }));
  const outcome = await senderOver({ find: async () => addresses }, ['127.0.0.1/32']).send(attemptByName(receiver));
  expect(outcome).toMatchObject({ kind: 'answered', status: 200 });
});

test('an answer of DNS that changes once it was judged leads to no other address', async () => {
  const receiver = await startReceiver();
  const answers = [allowed];
  const outcome = await senderOver({ find: async () => [answers.shift() ?? forbidden] }, ['::1/128']).send(attemptByName(receiver));
  expect([outcome.kind, receiver.requests]).toEqual(['unanswered', []]);
});

test.each<[string, NameAnswer, NameAnswer, string[]]>([
  ['both families', ['192.0.2.1', '192.0.2.2'], ['2001:db8::1'], ['192.0.2.1', '192.0.2.2', '2001:db8::1']],
  ['IPv4 alone', ['192.0.2.1'], [], ['192.0.2.1']],
  ['IPv6 alone', [], ['2001:db8::1'], ['2001:db8::1']],
  ['IPv4, and fails for IPv6', ['192.0.2.1'], 'SERVFAIL', ['192.0.2.1']],
  ['IPv4, and never answers for IPv6', ['192.0.2.1'], 'silence', ['192.0.2.1']],
  ['IPv6, and never answers for IPv4', 'silence', ['2001:db8::1'], ['2001:db8::1']],
])('of a name server that answers with %s, these addresses are found, IPv4 first', async (_name, a, aaaa, addresses) => {
  const { resolver } = await startNameServer((_asked, type) => (type === 'A' ? a : aaaa));
  const found = await new HostLookup(resolver).find('hooks.example');
  expect(found.map(({ address }) => address)).toEqual(addresses);
  expect(found.map(({ family }) => family)).toEqual(addresses.map((address) => (address.includes(':') ? 6 : 4)));
});

test.each([
  [4, ['A hooks.example'], '192.0.2.1'],
  [6, ['AAAA hooks.example'], '2001:db8::1'],
])('where only IPv%d is wanted, nothing else is asked for', async (family, questions, address) => {
  const { server, resolver } = await startNameServer((_name, type) => (type === 'A' ? ['192.0.2.1'] : ['2001:db8::1']));
  expect(await new HostLookup(resolver).find('hooks.example', { family, hints: ADDRCONFIG })).toEqual([{ address, family }]);
  expect(server.questions).toEqual(questions);
});

test.each<[string, NameAnswer]>([
  ['does not know', 'NXDOMAIN'],
  ['has no address for', []],
])('a name that DNS %s is looked up on the machine', async (_name, answer) => {
  const { resolver } = await startNameServer(() => answer);
  const machine = machineWith({ 'hooks.example': [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }] });
  const receiver = await startReceiver();
  const outcome = await senderOver(new HostLookup(resolver, machine.names)).send(attemptByName(receiver));
  expect(outcome).toMatchObject({ kind: 'answered', status: 200 });
});

test('where no name server runs, names are looked up on the machine', async () => {
  const server = await NameServer.start(() => []);
  const resolver = new Resolver();
  resolver.setServers([server.address]);
  await server.stop();
  const machine = machineWith({ 'hooks.example': [{ address: '127.0.0.1', family: 4 }] });
  expect(await new HostLookup(resolver, machine.names).find('hooks.example')).toEqual([{ address: '127.0.0.1', family: 4 }]);
});

test.each<[string, NameAnswer, string[]]>([
  ['is unknown to DNS and to the machine', 'NXDOMAIN', ['hooks.example']],
  ['its name server fails for', 'SERVFAIL', []],
  ['its name server never answers for', 'silence', []],
])('an attempt at a name that %s ends as dns_error', async (_name, answer, askedOfMachine) => {
  const { resolver } = await startNameServer(() => answer);
  const machine = machineWith();
  const outcome = await senderOver(new HostLookup(resolver, machine.names, 200)).send(attemptAt('http://hooks.example/'));
  expect(outcome).toMatchObject({ kind: 'unanswered', error: 'dns_error' });
  expect(machine.asked).toEqual(askedOfMachine);
});

test.each(['localhost', 'LOCALHOST.', 'hooks.localhost', 'receiver'])('%s is of the machine: DNS is not asked', async (name) => {
  const { server, resolver } = await startNameServer(() => ['192.0.2.1']);
  const machine = machineWith({ [name]: [{ address: '127.0.0.1', family: 4 }] });
  expect(await new HostLookup(resolver, machine.names).find(name)).toEqual([{ address: '127.0.0.1', family: 4 }]);
  expect(server.questions).toEqual([]);
});

test('while name servers of twenty hosts never answer, attempts at other hosts are made', async () => {
  const { server, resolver } = await startNameServer((name, type) => (name.endsWith('.silent.example') ? 'silence' : type === 'A' ? ['127.0.0.1'] : []));
  const receiver = await startReceiver();
  const sender = senderOver(new HostLookup(resolver));
  const ended: Outcome[] = [];
  const silent = Array.from({ length: 20 }, async (_, index) => ended.push(await sender.send(attemptAt(`http://host-${index}.silent.example/`))));
  await eventually(async () => expect(server.questions.length).toBeGreaterThanOrEqual(40));
  for (const host of ['localhost', 'hooks.example']) {
    expect(await sender.send(attemptAt(receiver.url.replace('127.0.0.1', host)))).toMatchObject({ kind: 'answered', status: 200 });
  }
  expect(ended).toEqual([]);
  resolver.cancel();
  await Promise.all(silent);
  expect(ended.map((outcome) => outcome.kind === 'unanswered' && outcome.error)).toEqual(Array(20).fill('dns_error'));
});

test('getaddrinfo works for two names at most, one of them without a dot, and once for each', async () => {
  const { resolver } = await startNameServer(() => 'NXDOMAIN');
  const { open, answer, names } = slowMachine();
  const hosts = new HostLookup(resolver, names);
  const found = ['a.example', 'b.example', 'a.example', 'one', 'two', 'one'].map((name) => hosts.find(name));
  const seen: string[][] = [];
  while (seen.flat().length < 4) {
    await eventually(async () => expect(open.size).toBe(2));
    seen.push([...open.keys()].toSorted());
    for (const name of seen.at(-1)!) answer(name);
  }
  await Promise.all(found);
  expect(seen).toEqual([['a.example', 'one'], ['b.example', 'two']]);
});

test('a name whose turn comes when nobody waits for it any more is not looked up', async () => {
  const { open, answer, names } = slowMachine();
  const hosts = new HostLookup(new Resolver(), names, 50);
  const given = await Promise.allSettled(['one', 'two'].map((name) => hosts.find(name)));
  expect(given.map((result) => result.status === 'rejected' && meaningOf(result.reason))).toEqual(['dns_error', 'dns_error']);
  const patient = new HostLookup(new Resolver(), names);
  const again = patient.find('one');
  const third = patient.find('three');
  answer('one');
  await eventually(async () => expect([...open.keys()]).toEqual(['three']));
  answer('three');
  expect(await Promise.all([again, third])).toHaveLength(2);
});
