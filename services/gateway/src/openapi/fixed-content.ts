// Content that stays the same while the process lives. It is compressed once for each encoding, not for each request: anybody
// may ask for it as often as he likes, and the page's script alone takes 100 ms.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

type Encode = (content: Buffer) => Promise<Buffer>;

/** What the last tenth of the size would cost is ten times the time. */
const brotliQuality = 9;

/** The first that a client takes is used. */
const encoders: [name: string, encode: Encode][] = [
  ['br', (content) => promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } })],
  ['gzip', (content) => promisify(gzip)(content)],
];

export class FixedContent {
  private readonly hash: string;
  private readonly encoded = new Map<string, Promise<Buffer>>();

  /** @param caching value of Cache-Control */
  constructor(
    private readonly type: string,
    private readonly content: Buffer,
    private readonly caching: string,
  ) {
    this.hash = createHash('sha256').update(content).digest('base64url').slice(0, 27);
  }

  async answer({ headers }: FastifyRequest, reply: FastifyReply): Promise<Buffer> {
    const taken = encoders.find(([name]) => accepts(headers['accept-encoding'], name));
    void reply.type(this.type).headers({ 'cache-control': this.caching, vary: 'accept-encoding' });
    if (!taken) return this.identity(reply);
    const [name, encode] = taken;
    // Each encoding is a representation of its own, and a strong tag must tell them apart.
    void reply.headers({ 'content-encoding': name, etag: `"${this.hash}-${name}"` });
    const encoded = this.encoded.get(name) ?? encode(this.content);
    this.encoded.set(name, encoded);
    return encoded;
  }

  private identity(reply: FastifyReply): Buffer {
    void reply.header('etag', `"${this.hash}"`);
    return this.content;
  }
}

function accepts(header: string | string[] | undefined, name: string): boolean {
  const named = String(header ?? '').split(',').map((part) => part.trim().split(/\s*;\s*/));
  return named.some(([encoding, weight]) => encoding?.toLowerCase() === name && !/^q=0(\.0*)?$/.test(weight ?? ''));
}
