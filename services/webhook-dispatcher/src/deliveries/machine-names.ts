// Names by getaddrinfo: what DNS does not know but this machine does, of /etc/hosts, search domains and whatever else it is
// configured with. It occupies one of libuv's four threads until the slowest name server has answered, can't be called off,
// and files and signatures need those threads too: so there are never more than two of it.
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { Turns } from '@na/service-host';
import { SendFailure } from './send-error.js';

export type Getaddrinfo = (name: string, options: { all: true }) => Promise<LookupAddress[]>;

/** Until when anybody wants to know, on the clock of `performance.now()`. */
interface Wish {
  until: number;
}

export class MachineNames {
  /** One turn for each kind: a customer's zone can be slow about names in it, but has no say about those of this machine. */
  private readonly turns = { own: new Turns(1), others: new Turns(1) };
  private readonly asked = new Map<string, { wish: Wish; answer: Promise<LookupAddress[]> }>();

  constructor(private readonly getaddrinfo: Getaddrinfo = lookup) {}

  /** @param until on the clock of `performance.now()`: if its turn comes later, the name is not looked up */
  find(name: string, until: number): Promise<LookupAddress[]> {
    const asked = this.asked.get(name);
    if (asked) {
      asked.wish.until = Math.max(asked.wish.until, until);
      return asked.answer;
    }
    const wish = { until };
    const answer = this.turns[isOfMachine(name) ? 'own' : 'others'].take(() => this.ask(name, wish)).finally(() => this.asked.delete(name));
    this.asked.set(name, { wish, answer });
    return answer;
  }

  private async ask(name: string, { until }: Wish): Promise<LookupAddress[]> {
    if (performance.now() >= until) throw new SendFailure('dns_error', `${name} had to wait too long for its turn`);
    return this.getaddrinfo(name, { all: true });
  }
}

/** Whether DNS is not to be asked: names without a dot, and those of RFC 6761, 6.3. */
export function isOfMachine(name: string): boolean {
  const plain = name.replace(/\.$/, '').toLowerCase();
  return !plain.includes('.') || plain.endsWith('.localhost');
}
