/** Finds a nats-server on this machine, or has apt fetch one (nats-apt.ts) into .tools/. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { toolsFolder } from './paths.ts';
import { fetchWithApt } from './nats-apt.ts';

export interface NatsBinary {
  path: string;
  version: string;
}

const run = promisify(execFile);
const fileName = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';
/** What the messaging library is written for. */
const leastVersion = [2, 9];

/** In this order: $NATS_SERVER, the PATH, .tools/nats, the Debian or Ubuntu package. Only the last needs the network. */
export async function findNatsServer(say: (note: string) => void = () => {}): Promise<NatsBinary> {
  const wanted = process.env.NATS_SERVER;
  if (wanted) return (await inspect(wanted)) ?? fail(`NATS_SERVER is ${wanted}, which does not run as nats-server ${leastVersion.join('.')} or later.`);

  const fetched = join(toolsFolder, 'nats', fileName);
  // Debian puts the server into /usr/sbin, which is not in an ordinary user's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].filter(Boolean);
  for (const path of [...folders.map((folder) => join(folder, fileName)), fetched]) {
    const found = await inspect(path);
    if (found !== undefined) return found;
  }
  const failure = await fetchWithApt(fetched, async (path) => (await inspect(path)) !== undefined, say);
  return (await inspect(fetched)) ?? fail(`${failure} ${advice()}`);
}

/** Undefined when the program is missing, does not run here or is too old. */
async function inspect(path: string): Promise<NatsBinary | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    const { stdout } = await run(path, ['--version']);
    const [, major, minor] = /v(\d+)\.(\d+)/.exec(stdout)?.map(Number) ?? [];
    const [leastMajor = 0, leastMinor = 0] = leastVersion;
    if (major === undefined || minor === undefined) return undefined;
    if (major < leastMajor || (major === leastMajor && minor < leastMinor)) return undefined;
    return { path, version: /v(\d\S*)/.exec(stdout)?.[1] ?? '' };
  } catch {
    return undefined;
  }
}

function fail(message: string): never {
  throw new Error(message);
}

function advice(): string {
  const install = {
    darwin: 'brew install nats-server',
    win32: 'winget install NATSAuthors.NATSServer, scoop install nats-server or choco install nats-server',
    linux: 'dnf install nats-server on Fedora, apk add nats-server on Alpine, apt install nats-server on Debian and Ubuntu',
  }[process.platform as string];
  const how = install === undefined ? 'Install nats-server' : `Install nats-server (${install})`;
  return `${how}, or set NATS_SERVER to the path of one, or NATS_URL to a server that runs already.`;
}
