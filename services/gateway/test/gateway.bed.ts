// Starts a gateway in front of fake services, and builds what its tests begin with: keys, and requests made with them.
import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Scope } from '@na/contracts';
import { serveOnBus } from '@na/messaging';
import type { Logger } from '@na/service-host';
import { eventually, TestBed } from '@na/testing';
import { typeid } from 'typeid-js';
import { makeKey } from '../src/auth/key-material.js';
import { startGateway } from '../src/start.js';
import { FakeServices, FakeServicesModule, FakeState, type FakeKey } from './fake-services.js';

export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an answer is whatever JSON came back
  body: any;
}

export interface TestKey extends FakeKey {
  credential: string;
  /** The headers of a good request. */
  headers: Record<string, string>;
}

export const operatorToken = 'the-operator-token-of-these-tests-only';
const cursorKey = randomBytes(32);

/** Wide enough to be in nobody's way who doesn't ask about them. */
const wideLimits = { rateLimit: 100_000, rateLimitWindowSeconds: 60, failedCredentialsPerMinute: 100_000 };

export type GatewayLimits = Partial<typeof wideLimits>;

export class GatewayBed {
  private constructor(
    readonly bed: TestBed,
    readonly state: FakeState,
    readonly port: number,
    readonly stopGateway: () => Promise<void>,
  ) {}

  /** @param logger takes what the gateway logs, for a test that reads it */
  static async start(limits: GatewayLimits = {}, state = new FakeState(), logger?: Logger): Promise<GatewayBed> {
    const bed = await TestBed.start();
    const fakes = { module: FakeServicesModule, controllers: [FakeServices], providers: [{ provide: FakeState, useValue: state }] };
    await serveOnBus(fakes, bed.bus, bed.natsUrl, bed.host('key-management'));
    return GatewayBed.startGateway(bed, state, limits, logger);
  }

  /** A second gateway on the same servers and in front of the same fakes. */
  startAnother(limits: GatewayLimits = {}): Promise<GatewayBed> {
    return GatewayBed.startGateway(this.bed, this.state, limits);
  }

  private static async startGateway(bed: TestBed, state: FakeState, limits: GatewayLimits, logger?: Logger): Promise<GatewayBed> {
    const own = { port: 0, host: '127.0.0.1', publicUrl: 'https://api.example.com', operatorToken, cursorKey, trustedProxies: ['127.0.0.1'] };
    const host = bed.host('gateway');
    const { httpPort } = await startGateway({ ...bed.config('gateway'), ...own, ...wideLimits, ...limits }, logger ? { ...host, logger } : host);
    return new GatewayBed(bed, state, httpPort!, host.stop);
  }

  stop(): Promise<void> {
    return this.bed.stop();
  }

  /** Resolves once this gateway remembers verdicts. */
  async holdsLease(): Promise<void> {
    const { headers } = this.newKey();
    await eventually(async () => {
      await this.get('/api/v1/event-types', headers);
      const before = this.state.verifications;
      await this.get('/api/v1/event-types', headers);
      if (this.state.verifications > before) throw new Error('The second request asked for a verdict again.');
    });
  }

  newKey(overrides: Partial<FakeKey> = {}): TestKey {
    const { keyId, secretDigest, credential } = makeKey(typeid('key').toString(), randomBytes(32));
    const key: FakeKey = { id: keyId, workspaceId: typeid('ws').toString(), scopes: allScopes, status: 'valid', secretDigest, ...overrides };
    this.state.keys.set(key.id, key);
    return { ...key, credential, headers: { authorization: `Bearer ${credential}`, 'x-workspace-id': key.workspaceId } };
  }

  /** The id of a page that the workspace of the key has. */
  async newPage({ headers }: TestKey): Promise<string> {
    const { body } = await this.post('/api/v1/pages', { url: 'https://example.com' }, headers);
    return body.id;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, headers);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, { 'content-type': 'application/json', ...headers }, typeof body === 'string' ? body : JSON.stringify(body));
  }

  async send(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { method, headers, body });
    const content = await response.text();
    return { status: response.status, headers: response.headers, body: content && JSON.parse(content) };
  }

  /** With headers exactly as given, name and value by turns, repeats included. */
  async sendRaw(path: string, headers: string[], method = 'GET'): Promise<Answer> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest({ port: this.port, method, path, headers: ['Host', 'localhost', ...headers] as unknown as Record<string, string> }, resolve).on('error', reject).end();
    });
    const names = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as [string, string]);
    return { status: response.statusCode!, headers: new Headers(names), body: JSON.parse(await text(response)) };
  }
}

export const allScopes: Scope[] = ['workspaces:read', 'pages:read', 'pages:write', 'webhooks:read', 'webhooks:write', 'keys:read', 'keys:write', 'track:write'];
