// Liveness and readiness on an internal port. Live: the event loop turns. Ready: started, not stopping, and every check
// passes.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReadinessCheck {
  name: string;
  /** Resolves when the dependency can be used; rejects with the reason when it can't. */
  check: () => Promise<unknown>;
}

export class HealthServer {
  private readonly checks: ReadinessCheck[] = [];
  private server?: Server;
  state: 'starting' | 'started' | 'stopping' = 'starting';

  addCheck(check: ReadinessCheck): void {
    this.checks.push(check);
  }

  /** @returns the port it listens on */
  async listen(port: number, host: string): Promise<number> {
    const server = createServer((request, response) => {
      void this.answer(request.url).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
  }

  private async answer(path: string | undefined): Promise<{ status: number; body: object }> {
    if (path === '/health/live') return { status: 200, body: { status: 'live' } };
    if (path !== '/health/ready') return { status: 404, body: { status: 'unknown path' } };
    if (this.state !== 'started') return { status: 503, body: { status: this.state } };
    const results = await Promise.all(this.checks.map(runCheck));
    const ready = results.every((result) => result.ok);
    return { status: ready ? 200 : 503, body: { status: ready ? 'ready' : 'not ready', checks: results } };
  }
}

const checkTimeoutMs = 2_000;

async function runCheck({ name, check }: ReadinessCheck): Promise<{ name: string; ok: boolean; reason?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${checkTimeoutMs} ms`)), checkTimeoutMs);
  });
  try {
    await Promise.race([check(), timeout]);
    return { name, ok: true };
  } catch (error) {
    return { name, ok: false, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
