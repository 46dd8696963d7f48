/** TCP ports of this machine: a free one, and one held until its user is there. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** A port that was free a moment ago. Whoever listens on it must be ready to lose the race for it. */
export async function freePort(): Promise<number> {
  const server = await listen(0, '127.0.0.1');
  const { port } = server.address() as AddressInfo;
  await close(server);
  return port;
}

/**
 * Holds a port that is free on every address, and returns what lets it go; undefined if another program has it. What
 * connects meanwhile is turned away.
 */
export async function holdPort(port: number): Promise<(() => Promise<void>) | undefined> {
  try {
    for (const host of ['0.0.0.0', '::']) await close(await listen(port, host));
    const server = await listen(port, '127.0.0.1');
    return () => close(server);
  } catch {
    return undefined;
  }
}

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen({ port, host, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A machine without IPv6: nobody else can have the port there either.
    if (host !== '::' || (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL')) throw error;
  }
  return server;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
}
