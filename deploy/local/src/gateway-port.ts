/** The port that the gateway gets. */
import { holdPort } from './ports.ts';
import type { Say } from './progress.ts';
import { defaultGatewayPort } from './settings.ts';

export interface HeldPort {
  port: number;
  /** To be called just before the gateway listens: until then, a second launcher must not choose the same port. */
  letGo(): Promise<void>;
}

const triedPorts = 100;

/** The wanted port or an error; without a wish the default one, or the next that is free. */
export async function holdGatewayPort(wanted: number | undefined, say: Say): Promise<HeldPort> {
  if (wanted !== undefined) {
    const letGo = await holdPort(wanted);
    if (letGo !== undefined) return { port: wanted, letGo };
    throw new Error(`GATEWAY_PORT is ${wanted}, which another program has or which takes more rights: stop it or choose another port.`);
  }
  for (let port = defaultGatewayPort; port < defaultGatewayPort + triedPorts; port += 1) {
    const letGo = await holdPort(port);
    if (letGo === undefined) continue;
    if (port !== defaultGatewayPort) say(`port ${defaultGatewayPort} is taken: the gateway gets ${port} (GATEWAY_PORT chooses another)`);
    return { port, letGo };
  }
  throw new Error(`No port from ${defaultGatewayPort} to ${defaultGatewayPort + triedPorts - 1} is free: set GATEWAY_PORT.`);
}
