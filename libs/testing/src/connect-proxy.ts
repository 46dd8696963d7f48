// An operator's forward proxy that knows CONNECT and nothing else, as obliging or as difficult as a test wants it. Records
// what it was asked for; what goes through its tunnels is none of its business.
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Certificate } from './certificate.js';

export interface ConnectRequest {
  /** `host:port` as it was asked for. */
  target: string;
  headers: IncomingHttpHeaders;
}

/** Answers one CONNECT, or fails to. */
export type ProxyBehaviour = (client: Duplex, request: ConnectRequest) => void;

export class ConnectProxy {
  readonly requests: ConnectRequest[] = [];
  private readonly server;
  private readonly clients = new Set<Socket>();

  private constructor(
    private behaviour: ProxyBehaviour,
    private readonly certificate?: Certificate,
  ) {
    this.server = certificate ? createTlsServer(certificate) : createServer();
    this.server.on('connection', (client: Socket) => {
      this.clients.add(client);
      client.on('close', () => this.clients.delete(client));
    });
    this.server.on('connect', (request: IncomingMessage, client: Duplex) => {
      const asked = { target: request.url!, headers: request.headers };
      this.requests.push(asked);
      client.on('error', () => undefined);
      this.behaviour(client, asked);
    });
    this.server.on('request', (_request, response) => void response.writeHead(405).end());
  }

  /**
   * Listens on a free loopback port and tunnels to wherever it is asked to.
   * @param certificate what to speak TLS with; without one it is plain HTTP
   */
  static async start(behaviour: ProxyBehaviour = tunnel, certificate?: Certificate): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(behaviour, certificate);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** @param credentials `user:password` */
  url(credentials?: string): string {
    const { port } = this.server.address() as AddressInfo;
    const scheme = this.certificate ? 'https' : 'http';
    return `${scheme}://${credentials ? `${credentials}@` : ''}localhost:${port}`;
  }

  behave(behaviour: ProxyBehaviour): void {
    this.behaviour = behaviour;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export const tunnel: ProxyBehaviour = (client, { target }) => {
  const { hostname, port } = new URL(`http://${target}`);
  const upstream = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) }, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.pipe(upstream).pipe(client);
  });
  upstream.on('error', () => refuse(502)(client, { target, headers: {} }));
  client.on('close', () => upstream.destroy());
};

/** Says no, with a body as real proxies do. */
export function refuse(status: number): ProxyBehaviour {
  return (client) => void client.end(`HTTP/1.1 ${status} No\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nrefused`);
}

/** @param credentials `user:password` that it wants to see */
export function tunnelFor(credentials: string): ProxyBehaviour {
  const wanted = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return (client, request) => (request.headers['proxy-authorization'] === wanted ? tunnel : refuse(407))(client, request);
}
