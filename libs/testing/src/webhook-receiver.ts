// A customer's webhook server, as well-behaved or as broken as a test wants it. Records every request with its raw body.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Unix milliseconds on the receiver's own clock. */
  receivedAt: number;
}

/** Answers one request, or fails to. `count` is how many requests the receiver has had, this one included. */
export type Behaviour = (response: ServerResponse, request: ReceivedRequest, count: number) => void;

interface Waiter {
  wanted: (requests: ReceivedRequest[]) => boolean;
  resolve: (requests: ReceivedRequest[]) => void;
}

export class WebhookReceiver {
  readonly requests: ReceivedRequest[] = [];
  private readonly waiters = new Set<Waiter>();

  private constructor(
    private readonly server: Server,
    private behaviour: Behaviour,
  ) {}

  /** Listens on a free loopback port and answers 200 unless told otherwise. */
  static async start(behaviour: Behaviour = answer(200)): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server, behaviour);
    server.on('request', (request, response) => void receiver.receive(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  behave(behaviour: Behaviour): void {
    this.behaviour = behaviour;
  }

  /** Resolves with all requests once there are `count` of them. */
  received(count: number): Promise<ReceivedRequest[]> {
    return this.until((requests) => requests.length >= count);
  }

  until(wanted: Waiter['wanted']): Promise<ReceivedRequest[]> {
    if (wanted(this.requests)) return Promise.resolve(this.requests);
    return new Promise((resolve) => this.waiters.add({ wanted, resolve }));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // The sender broke off: there is no request to record.
    }
    const received = { method: request.method!, path: request.url!, headers: request.headers, body: Buffer.concat(chunks), receivedAt: Date.now() };
    this.requests.push(received);
    for (const waiter of this.waiters) {
      if (!waiter.wanted(this.requests)) continue;
      this.waiters.delete(waiter);
      waiter.resolve(this.requests);
    }
    response.on('error', () => undefined);
    this.behaviour(response, received, this.requests.length);
  }
}

export function answer(status: number, body = '', headers: Record<string, string> = {}): Behaviour {
  return (response) => void response.writeHead(status, headers).end(body);
}

/** Each behaviour for one request, the last one for all that follow. */
export function inTurn(...behaviours: Behaviour[]): Behaviour {
  return (response, request, count) => behaviours[Math.min(count, behaviours.length) - 1]!(response, request, count);
}

/** Takes the request and never answers. */
export const hang: Behaviour = () => undefined;

/** Breaks the connection in the middle of the answer's body. */
export const resetMidBody: Behaviour = (response) => {
  response.writeHead(200, { 'content-length': '1000' }).write('only this much', () => response.socket?.resetAndDestroy());
};

/** Sends a byte of an endless body whenever the socket takes one. */
export const endlessBody: Behaviour = (response) => {
  response.writeHead(200);
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
};

/** Head at once, then one byte every `everyMs` milliseconds, for ever. */
export function drip(everyMs: number): Behaviour {
  return (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), everyMs);
    response.on('close', () => clearInterval(timer));
  };
}

/** Bytes that are not HTTP. */
export const malformed: Behaviour = (response) => void response.socket?.end('HELLO THERE\r\n\r\n');
