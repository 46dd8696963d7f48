/** The account that servers run as, and what it can reach: PostgreSQL refuses to run as root. */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Account {
  uid: number;
  gid: number;
}

const read = 4;
const enter = 1;

/** Whether this process is root, which must hand PostgreSQL to another account. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The account for a new cluster: `postgres` where the machine has one, otherwise `nobody`. */
export function serverAccount(): Account {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('PostgreSQL does not run as root, and this machine has neither an account "postgres" nor "nobody".');
}

/** Whether the account may enter this folder, and every folder on the way to it. */
export function canEnter(account: Account, folder: string): boolean {
  const parent = dirname(folder);
  return mayAccess(account, folder, enter) && (parent === folder || canEnter(account, parent));
}

/** Whether the account may read and run this program. */
export function canRun(account: Account, program: string): boolean {
  return mayAccess(account, program, read | enter) && canEnter(account, dirname(program));
}

/** By owner, group and others, as the kernel decides for an account without further groups. */
function mayAccess({ uid, gid }: Account, path: string, wanted: number): boolean {
  const { mode, uid: owner, gid: group } = statSync(path);
  const shift = owner === uid ? 6 : group === gid ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}
