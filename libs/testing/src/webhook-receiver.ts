// A customer's webhook server, as well-behaved or as broken as a test wants it: `receiver-faults.ts` has ways to be broken.
// Records every request with its raw body.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.js';

export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The name that TLS was asked for. */
  servername?: string;
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
  private readonly server;

  private constructor(
    private behaviour: Behaviour,
    private readonly certificate?: Certificate,
  ) {
    this.server = certificate ? createTlsServer(certificate) : createServer();
    this.server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.receive(request, response));
  }

  /**
   * Listens on a free loopback port and answers 200 unless told otherwise.
   * @param certificate what to speak TLS with; without one it is plain HTTP
   */
  static async start(behaviour: Behaviour = answer(200), certificate?: Certificate): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver(behaviour, certificate);
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return this.certificate ? `https://localhost:${this.port}/hook` : `http://127.0.0.1:${this.port}/hook`;
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
    const received = describe(request, Buffer.concat(chunks));
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

function describe(request: IncomingMessage, body: Buffer): ReceivedRequest {
  const servername = (request.socket as Partial<TLSSocket>).servername || undefined;
  return { method: request.method!, path: request.url!, headers: request.headers, body, servername, receivedAt: Date.now() };
}

export function answer(status: number, body = '', headers: Record<string, string> = {}): Behaviour {
  return (response) => void response.writeHead(status, headers).end(body);
}

/** Each behaviour for one request, the last one for all that follow. */
export function inTurn(...behaviours: Behaviour[]): Behaviour {
  return (response, request, count) => behaviours[Math.min(count, behaviours.length) - 1]!(response, request, count);
}
