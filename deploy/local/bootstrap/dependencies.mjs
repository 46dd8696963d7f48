/** Installs the npm packages of the checkout, when the lockfile is not the one that is installed already. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installed, stamp } from './install-stamp.mjs';
import { waitForLock } from './lock.mjs';
import { npmCi } from './npm.mjs';
import { waiting, working } from './progress.mjs';

/** @param {string} root @param {string} node */
export async function ensureDependencies(root, node) {
  const lockfile = join(root, 'package-lock.json');
  if (installed(root, lockfile)) return;

  mkdirSync(join(root, '.tools'), { recursive: true });
  const lock = await waitForLock(join(root, '.tools', 'packages.lock'), 'installing packages', waiting);
  try {
    if (installed(root, lockfile)) return;
    const done = working('Installing the npm packages');
    // NODE_ENV=production would leave the compiler out.
    await npmCi(node, root, ['--include=dev']);
    stamp(root, lockfile);
    done('The npm packages are installed');
  } finally {
    lock.release();
  }
}
