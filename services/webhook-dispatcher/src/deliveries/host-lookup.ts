// From the name of a host to its addresses, in a bounded time, by DNS without a thread: c-ares waits for any number of name
// servers at once, so that one which never answers is in nobody else's way. Whether an address may be reached is judged elsewhere.
import { ADDRCONFIG, type LookupAddress, type LookupOptions } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { isOfMachine, MachineNames } from './machine-names.js';
import { SendFailure } from './send-error.js';

/** Over all servers and repetitions, getaddrinfo included. Less than a connection is given: it must not end as its time-out. */
const lookupTimeoutMs = 4_000;
/**
 * c-ares waits 1 s at first, and about five times a server's usual answer once it knows it, but 250 ms at least, and twice as
 * long in each further round: five rounds outlast that, where two would give a slow zone less than 1 s.
 */
const repetition = { timeout: 1_000, maxTimeout: 2_000, tries: 5 };
/** For the other family's answer once one is there (RFC 8305, 3): there are name servers that know A and never answer AAAA. */
const graceMs = 50;

/** DNS, without what else the machine may know. */
export interface AddressRecords {
  resolve4: (name: string) => Promise<string[]>;
  resolve6: (name: string) => Promise<string[]>;
}

interface DnsError extends Error {
  code?: string;
}

export class HostLookup {
  constructor(
    private readonly records: AddressRecords = new Resolver(repetition),
    private readonly machine = new MachineNames(),
    private readonly timeoutMs = lookupTimeoutMs,
  ) {}

  /**
   * @param name of a host, not an address
   * @returns one address at least, IPv4 first
   * @throws Error of c-ares or getaddrinfo, or SendFailure; each is a `dns_error`
   */
  async find(name: string, { family, hints = 0 }: LookupOptions = {}): Promise<LookupAddress[]> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new SendFailure('dns_error', `${name} was not resolved in ${this.timeoutMs / 1_000} s`)), this.timeoutMs);
    try {
      const found = await Promise.race([this.resolve(name, familiesOf(family)), late.promise]);
      return hints & ADDRCONFIG ? connectable(found, networkInterfaces) : found;
    } finally {
      clearTimeout(timer);
    }
  }

  private async resolve(name: string, families: number[]): Promise<LookupAddress[]> {
    const until = performance.now() + this.timeoutMs;
    if (isOfMachine(name)) return this.ofMachine(name, families, until);
    const { found, failure } = await firstAnswers(families.map((family) => this.ask(name, family)));
    if (!failure) return found;
    if (!isUnknown(failure)) throw failure;
    return this.ofMachine(name, families, until).catch(() => {
      throw failure;
    });
  }

  private async ask(name: string, family: number): Promise<LookupAddress[]> {
    const addresses = await (family === 4 ? this.records.resolve4(name) : this.records.resolve6(name));
    return addresses.map((address) => ({ address, family }));
  }

  private async ofMachine(name: string, families: number[], until: number): Promise<LookupAddress[]> {
    const found = (await this.machine.find(name, until)).filter(({ family }) => families.includes(family));
    if (found.length === 0) throw new SendFailure('dns_error', `${name} has no address of the wanted family`);
    return byFamily(found);
  }
}

function familiesOf(family: LookupOptions['family']): number[] {
  if (family === 4 || family === 'IPv4') return [4];
  return family === 6 || family === 'IPv6' ? [6] : [4, 6];
}

/** @returns a failure if nothing was found: of several, one that leaves open whether the name exists */
async function firstAnswers(answers: Promise<LookupAddress[]>[]): Promise<{ found: LookupAddress[]; failure?: DnsError }> {
  const found: LookupAddress[] = [];
  const failures: DnsError[] = [];
  const all = Promise.all(answers.map((answer) => answer.then((some) => found.push(...some), (error: DnsError) => failures.push(error))));
  const enough = Promise.any(answers).then(() => delay(graceMs, undefined, { ref: false }), () => all);
  await Promise.race([all, enough]);
  if (found.length > 0) return { found: byFamily(found) };
  return { found, failure: failures.find((failure) => !isUnknown(failure)) ?? failures[0] };
}

/** Not so a time-out or SERVFAIL: getaddrinfo would wait for the same server, and longer. Refused: there may be no DNS here. */
function isUnknown({ code }: DnsError): boolean {
  return code === 'ENOTFOUND' || code === 'ENODATA' || code === 'ECONNREFUSED';
}

function byFamily(addresses: LookupAddress[]): LookupAddress[] {
  return addresses.toSorted((one, other) => one.family - other.family);
}

/**
 * Without the family that this machine has no address of, if there is one of the other: getaddrinfo's AI_ADDRCONFIG. Of several
 * addresses Node gives each but the last 250 ms, so an unusable last one takes from a distant server the time it needs.
 */
export function connectable(found: LookupAddress[], interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]>): LookupAddress[] {
  if (found.every(({ family }) => family === found[0]!.family)) return found;
  const own = Object.values(interfaces()).flatMap((addresses = []) => addresses.filter(({ internal, address }) => !internal && !address.startsWith('fe80:')));
  const usable = found.filter(({ family }) => own.some((address) => address.family === `IPv${family}`));
  return usable.length > 0 ? usable : found;
}
