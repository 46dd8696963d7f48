/**
 * Has apt fetch nats-server into a folder of this checkout: no root, nothing installed, the machine's own package lists
 * untouched. The mirror is the one the machine's apt uses, and apt checks every signature as it always does.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { waitForLock } from '../bootstrap/lock.mjs';

const run = promisify(execFile);
const packageName = 'nats-server';
const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where apt looks: its usual sources when undefined, or one file of our own. */
type Sources = { name: string; content: string | undefined };

/**
 * Puts nats-server at `target` if a package of it passes `isUsable`. Returns what went wrong, in one sentence, or an empty
 * string.
 */
export async function fetchWithApt(target: string, isUsable: (path: string) => Promise<boolean>, say: (note: string) => void): Promise<string> {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg')) return 'No nats-server was found, and there is no apt to fetch one.';
  mkdirSync(dirname(target), { recursive: true });
  const lock = await waitForLock(`${target}.lock`, 'fetching it', ({ pid }) => say(`waiting for process ${pid}, which is fetching nats-server`));
  try {
    if (await isUsable(target)) return '';
    say('fetching nats-server with apt, this once');
    return await fetchFirstUsable(target, isUsable);
  } finally {
    lock.release();
  }
}

async function fetchFirstUsable(target: string, isUsable: (path: string) => Promise<boolean>): Promise<string> {
  const folder = `${target}.download`;
  const failures: string[] = [];
  for (const sources of await candidates()) {
    // Also what a killed launcher left.
    rmSync(folder, { recursive: true, force: true });
    try {
      const program = await download(folder, sources);
      if (await isUsable(program)) {
        renameSync(program, target);
        return '';
      }
      failures.push(`the one of ${sources.name} is too old`);
    } catch (error) {
      failures.push(`${sources.name}: ${reasonOf(error)}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return `No nats-server was found, and apt could not fetch one (${failures.join('; ')}).`;
}

async function candidates(): Promise<Sources[]> {
  const own = { name: "this machine's apt sources", content: undefined };
  const { ID, VERSION_ID, VERSION_CODENAME } = osRelease();
  // Debian 12 has 2.9; the package of Debian 13 needs nothing but the C library that Debian 12 has, and brings 2.10's JetStream.
  if (ID !== 'debian' || VERSION_ID !== '12') return [own];
  const mirror = await mirrorOf(VERSION_CODENAME ?? '');
  if (mirror === undefined) return [own];
  const signedBy = existsSync(debianKeyring) ? `Signed-By: ${debianKeyring}\n` : '';
  const content = `Types: deb\nURIs: ${mirror}\nSuites: trixie\nComponents: main\nTargets: Packages\n${signedBy}`;
  return [{ name: 'Debian 13', content }, own];
}

/** apt itself reads its sources, in whatever format they are. */
async function mirrorOf(suite: string): Promise<string | undefined> {
  const args = ['--no-release-info', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'];
  const { stdout } = await run('apt-get', args);
  return stdout
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, release, component]) => release === suite && component === 'main')?.[0];
}

async function download(folder: string, { content }: Sources): Promise<string> {
  for (const name of ['lists/partial', 'cache/archives/partial', 'unpacked']) mkdirSync(join(folder, name), { recursive: true });
  const sourceFile = join(folder, 'only.sources');
  if (content !== undefined) writeFileSync(sourceFile, content);
  const configFile = join(folder, 'apt.conf');
  writeFileSync(configFile, configuration(folder, content === undefined ? undefined : sourceFile));

  const options = { cwd: folder, env: { ...process.env, LC_ALL: 'C' } };
  await run('apt-get', ['-c', configFile, '-qq', 'update'], options);
  await run('apt-get', ['-c', configFile, '-qq', 'download', packageName], options);
  const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt downloaded nothing');
  await run('dpkg', ['-x', archive, 'unpacked'], options);
  return join(folder, 'unpacked/usr/sbin/nats-server');
}

/** Read after the machine's own configuration, whose proxies stay in force and whose hooks are not meant for these lists. */
function configuration(folder: string, sourceFile: string | undefined): string {
  return [
    `Dir::State::lists "${folder}/lists";`,
    `Dir::Cache "${folder}/cache";`,
    ...(sourceFile === undefined ? [] : [`Dir::Etc::sourcelist "${sourceFile}";`, 'Dir::Etc::sourceparts "-";', 'APT::Update::Error-Mode "any";']),
    // Root's apt downloads as an account that may not be able to enter this folder.
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '',
  ].join('\n');
}

function osRelease(): Record<string, string> {
  const lines = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8').split('\n') : [];
  const pairs = lines.map((line) => /^(\w+)="?([^"]*)"?$/.exec(line)).filter((match) => match !== null);
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value])) as Record<string, string>;
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as Error & { stderr?: string };
  const lines = (stderr || message).trim().split('\n');
  return lines.find((line) => line.startsWith('E: ')) ?? lines[0] ?? '';
}
