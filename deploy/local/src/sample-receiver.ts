/** A small webhook receiver, as an integrator would write it: checks the signature over the raw body, then looks inside. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SampleReceiver {
  url: string;
  port: number;
  /** One for each request so far. */
  lines: string[];
  verifyWith(secret: string): void;
  /** Resolves once there were that many requests; from then on each further one is printed as it comes. */
  received(count: number): Promise<void>;
}

interface Payload {
  type: string;
  data: { goal_name?: string; visitor_id?: string };
}

/** Rejects when the port is taken. */
export async function startSampleReceiver(port = 0): Promise<SampleReceiver> {
  const lines: string[] = [];
  let secret = '';
  let awaited: { count: number; resolve: () => void } | undefined;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const isGenuine = verify(body, request.headers, secret);
      response.writeHead(isGenuine ? 200 : 401).end();
      lines.push(describe(body, request.headers, isGenuine));
      if (!awaited) return console.log(lines.at(-1));
      if (lines.length >= awaited.count) awaited.resolve();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const actual = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${actual}/webhooks`,
    port: actual,
    lines,
    verifyWith: (given) => void (secret = given),
    received: async (count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      awaited = { count, resolve };
      if (lines.length >= count) resolve();
      await promise;
      awaited = undefined;
    },
  };
}

function verify(body: Buffer, headers: IncomingHttpHeaders, secret: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const given = Buffer.from(String(headers['x-webhook-signature']));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function describe(body: Buffer, headers: IncomingHttpHeaders, isGenuine: boolean): string {
  if (!isGenuine) return 'receiver: refused a request whose signature does not match';
  const { type, data } = JSON.parse(body.toString('utf8')) as Payload;
  const goal = data.goal_name === undefined ? '' : ` "${data.goal_name}"`;
  return `receiver: signature verified, ${type}${goal} (delivery ${String(headers['x-webhook-delivery'])}, attempt ${String(headers['x-webhook-attempt'])})`;
}
