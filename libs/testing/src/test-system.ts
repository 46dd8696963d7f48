// The whole system as it runs in earnest: four processes built from source, on servers of the test's own. For tests that
// go through the public door, and for those that kill a process and look at what is left.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { serviceSpecs, startNats, type NatsServer, type ServiceSpec } from '@na/local-stack';
import { createTestDatabase, type TestDatabase } from './test-database.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests assert on whatever JSON comes back
export type Json = any;

export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: Json;
}

export interface Credentials {
  token?: string;
  workspaceId?: string;
  headers?: Record<string, string>;
}

interface Running {
  spec: ServiceSpec;
  child: ChildProcess;
}

const key = () => randomBytes(32).toString('base64');

export class TestSystem {
  readonly operatorToken = randomBytes(32).toString('hex');
  /** What the services are configured with besides. */
  readonly secrets = { KEY_PEPPERS: `1:${key()}`, WEBHOOK_SEALING_KEYS: `1:${key()}`, CURSOR_KEY: key() };
  private readonly running = new Map<string, Running>();
  gatewayUrl = '';

  private constructor(
    readonly folder: string,
    public nats: NatsServer,
    readonly database: TestDatabase,
  ) {}

  /**
   * @param env added to every service's environment
   * @param beforeServices called once the bus and the database are up
   */
  static async start(env: NodeJS.ProcessEnv = {}, beforeServices: (natsUrl: string) => Promise<void> = async () => undefined): Promise<TestSystem> {
    const folder = await mkdtemp(join(process.env.NA_TEST_FOLDER!, 'system-'));
    const [nats, database] = await Promise.all([startNats({ dataDir: join(folder, 'nats') }), createTestDatabase()]);
    const system = new TestSystem(folder, nats, database);
    const specs = serviceSpecs({
      databaseUrls: database.urls,
      natsUrl: nats.url,
      gatewayPort: 0,
      operatorToken: system.operatorToken,
      mailDir: join(folder, 'mail'),
      secrets: { ...system.secrets, rolePasswords: {} as never },
    });
    await beforeServices(nats.url);
    await Promise.all(specs.map((spec) => system.startService(spec.name, { ...spec, env: { ...spec.env, LOG_LEVEL: 'info', ...env } })));
    return system;
  }

  /** One more gateway beside the first. @returns its name, for `kill` and the like, and where it listens */
  async startGateway(): Promise<{ name: string; url: string }> {
    const name = `gateway-${this.running.size}`;
    const port = await this.startService(name, this.running.get('gateway')!.spec);
    return { name, url: `http://127.0.0.1:${port}` };
  }

  /** SIGSTOP: the process stands still, with all its connections open, until SIGCONT. */
  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.running.get(name)!.child.kill(signal);
  }

  /** kill -9 of nats-server, and another on the same port and store. */
  async restartNats(): Promise<void> {
    await this.nats.kill();
    this.nats = await startNats({ dataDir: join(this.folder, 'nats'), port: this.nats.port });
  }

  /** SIGKILL: the process gets no chance to say or save anything. */
  async kill(name: string): Promise<void> {
    const { child } = this.running.get(name)!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** SIGTERM to every service: each ends what is in hand, and says and reports what it has left to say. */
  async endServices(): Promise<void> {
    const ended = [...this.running.values()].map(async ({ child }) => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    });
    await Promise.all(ended);
  }

  /** Starts a service again that was killed, on the same database and bus. */
  async restart(name: string): Promise<void> {
    await this.startService(name, this.running.get(name)!.spec);
  }

  /** Everything a service has written so far. */
  logOf(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8');
  }

  async api(method: string, path: string, { token, workspaceId, headers }: Credentials, body?: unknown): Promise<ApiAnswer> {
    const response = await fetch(`${this.gatewayUrl}/api/v1${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(workspaceId === undefined ? {} : { 'x-workspace-id': workspaceId }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
  }

  /** A workspace of the test's own with a key that may do everything an automation may. */
  async createWorkspace(overrides: { access?: string; scopes?: string[]; expires_at?: string } = { access: 'read_write' }): Promise<Required<Pick<Credentials, 'token' | 'workspaceId'>>> {
    const operator = { token: this.operatorToken };
    const workspace = await this.api('POST', '/workspaces', operator, { name: 'Test', time_zone: 'UTC', owner_emails: ['owner@example.com'] });
    const workspaceId = workspace.body.id as string;
    const created = await this.api('POST', '/keys', { ...operator, workspaceId }, { name: 'Test key', ...overrides });
    if (created.status !== 201) throw new Error(`The key could not be created: ${JSON.stringify(created.body)}`);
    return { token: created.body.secret as string, workspaceId };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running.keys()].map((name) => this.kill(name)));
    await this.nats.stop();
    await this.database.drop();
  }

  /** @returns the port of the public API, for a gateway */
  private async startService(name: string, spec: ServiceSpec): Promise<number | undefined> {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    // Jest's own options must not reach the services: they run as they would in a deployment.
    const child = fork(spec.program, { execArgv: spec.nodeOptions, env: { ...spec.env, NODE_OPTIONS: '' }, stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    this.running.set(name, { spec, child });
    const httpPort = await new Promise<number | undefined>((resolve, reject) => {
      child.once('message', (message: { httpPort?: number }) => resolve(message.httpPort));
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready:\n${this.logOf(name)}`)));
    });
    if (name === 'gateway') this.gatewayUrl = `http://127.0.0.1:${httpPort}`;
    return httpPort;
  }
}
