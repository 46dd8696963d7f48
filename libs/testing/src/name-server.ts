// A name server over UDP that knows A and AAAA (RFC 1035, RFC 3596), as obliging or as silent as a test wants it. Records what
// it was asked for. Resolvers are led to it by `setServers([server.address])`.
import { createSocket, type RemoteInfo } from 'node:dgram';

export type RecordType = 'A' | 'AAAA';

/** Addresses; none for a name that has none of this type; or another way to treat the question. */
export type NameAnswer = string[] | 'NXDOMAIN' | 'SERVFAIL' | 'silence';
export type NameBehaviour = (name: string, type: RecordType) => NameAnswer;

const headerBytes = 12;
const responseFlags = 0x8180;
const codes = { NXDOMAIN: 3, SERVFAIL: 2 };

export class NameServer {
  /** `A name` or `AAAA name`, in the order they came. */
  readonly questions: string[] = [];
  private readonly socket = createSocket('udp4');

  private constructor(private readonly behaviour: NameBehaviour) {
    this.socket.on('message', (query, from) => this.receive(query, from));
  }

  /** Listens on a free loopback port. */
  static async start(behaviour: NameBehaviour): Promise<NameServer> {
    const server = new NameServer(behaviour);
    await new Promise<void>((resolve) => server.socket.bind(0, '127.0.0.1', resolve));
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }

  private receive(query: Buffer, { port, address }: RemoteInfo): void {
    const { name, type, end } = questionOf(query);
    this.questions.push(`${type} ${name}`);
    const answer = this.behaviour(name, type);
    if (answer === 'silence') return;
    const found = typeof answer === 'string' ? [] : answer;
    const head = Buffer.from(query.subarray(0, end));
    head.writeUInt16BE(responseFlags | (typeof answer === 'string' ? codes[answer] : 0), 2);
    head.writeUInt16BE(found.length, 6);
    head.writeUInt32BE(0, 8);
    this.socket.send(Buffer.concat([head, ...found.map((one) => recordOf(bytesOf(one)))]), port, address);
  }
}

function questionOf(query: Buffer): { name: string; type: RecordType; end: number } {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1) === 28 ? 'AAAA' : 'A', end: at + 5 };
}

/** Of the name in the question, class IN, to be kept for 0 s. */
function recordOf(address: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xc0, headerBytes, 0, address.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, address.length]), address]);
}

/** IPv6 with or without `::`, but with no IPv4 inside. */
function bytesOf(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [before = [], after = []] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
