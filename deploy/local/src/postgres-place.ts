/**
 * Where a cluster lives and who runs it. An ordinary user's cluster is in the data folder. Root's is run by another account,
 * and lives under /var/lib when that account can't enter the data folder; a file in the data folder then says where.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { canEnter, isRoot, serverAccount, type Account } from './account.ts';

export interface Place {
  /** Holds the cluster, its password and its log. */
  folder: string;
  cluster: string;
  /** Who runs the server; absent when this process's own account does. */
  account: Account | undefined;
  /** Whether the whole folder goes when the server stops. */
  isTemporary: boolean;
}

const outsideFolder = '/var/lib/notion-analytics';
const recordName = 'cluster-is-in';
const originName = 'data-folder';

export function choosePlace(dataDir: string | undefined, say: (note: string) => void): Place {
  if (dataDir === undefined) return temporaryPlace();
  const home = resolve(dataDir);
  if (!isRoot()) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    return placeIn(home, undefined);
  }
  const account = serverAccount();
  // Root's own: the server's account passes through to its cluster, and sees nothing on the way.
  mkdirSync(home, { recursive: true, mode: 0o711 });
  const folder = recordedFolder(home) ?? (canEnter(account, home) ? home : newFolderOutside(home, say));
  return placeIn(folder, account);
}

function temporaryPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'na-postgres-'));
  if (!isRoot()) return { ...placeIn(folder, undefined), isTemporary: true };
  chmodSync(folder, 0o711);
  return { ...placeIn(folder, serverAccount()), isTemporary: true };
}

function placeIn(folder: string, account: Account | undefined): Place {
  const cluster = join(folder, 'cluster');
  return { folder, cluster, account: account && ownerOf(cluster, account), isTemporary: false };
}

/** A cluster runs only as its owner, who may be the user that ran this checkout before root did. */
function ownerOf(cluster: string, otherwise: Account): Account {
  const { uid, gid } = statSync(cluster, { throwIfNoEntry: false }) ?? { uid: 0, gid: 0 };
  return uid === 0 ? otherwise : { uid, gid };
}

/** Where the cluster of this data folder lives, if that is outside of it. */
export function outsidePlace(dataDir: string): string | undefined {
  return isRoot() ? recordedFolder(resolve(dataDir)) : undefined;
}

/** The place that the record in the data folder names, unless the data folder is a copy of one that still uses it. */
function recordedFolder(home: string): string | undefined {
  const folder = readIfThere(join(home, recordName));
  if (folder === undefined || !existsSync(folder)) return undefined;
  const origin = readIfThere(join(folder, originName));
  if (origin !== undefined && origin !== home && readIfThere(join(origin, recordName)) === folder) return undefined;
  writeFileSync(join(folder, originName), home);
  return folder;
}

/** Never an old one: a data folder without a record was deleted or moved away, and means to start afresh. */
function newFolderOutside(home: string, say: (note: string) => void): string {
  const name = createHash('sha256').update(home).digest('hex').slice(0, 16);
  mkdirSync(outsideFolder, { recursive: true });
  chmodSync(outsideFolder, 0o711);
  removeAbandoned();
  for (let copy = 0; ; copy += 1) {
    const folder = join(outsideFolder, copy === 0 ? name : `${name}-${copy}`);
    if (!created(folder)) {
      say(`an earlier cluster of this data folder is still in ${folder}: delete it if nothing needs it`);
      continue;
    }
    writeFileSync(join(folder, originName), home, { mode: 0o600 });
    writeFileSync(join(home, recordName), folder, { mode: 0o600 });
    return folder;
  }
}

/**
 * Removes the clusters of data folders that were in the temporary folder and are gone: those of test runs. Anywhere else a
 * missing data folder may just have been moved, and its cluster stays.
 */
function removeAbandoned(): void {
  for (const name of readdirSync(outsideFolder)) {
    const origin = readIfThere(join(outsideFolder, name, originName));
    if (origin === undefined || existsSync(origin) || !origin.startsWith(join(tmpdir(), '/'))) continue;
    rmSync(join(outsideFolder, name), { recursive: true, force: true });
  }
}

function created(folder: string): boolean {
  try {
    mkdirSync(folder);
    // Whatever the umask: the server's account must pass through.
    chmodSync(folder, 0o711);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
