/** TCP ports of this machine: a free one, and whether a given one is free. */
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

/** A port that was free a moment ago. Whoever listens on it must be ready to lose the race for it. */
export async function freePort(): Promise<number> {
  return listenOnce(0, '127.0.0.1');
}

/** Whether a server could listen on this port, on loopback as well as on every address. */
export async function isPortFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    try {
      await listenOnce(port, host);
    } catch (error) {
      if (!isMissingIpv6(error)) return false;
    }
  }
  return true;
}

async function listenOnce(port: number, host: string): Promise<number> {
  const server = createServer().listen({ port, host, exclusive: true });
  await once(server, 'listening');
  const { port: actual } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return actual;
}

function isMissingIpv6(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
}
