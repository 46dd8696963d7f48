// Says whether the generated code in libs/contracts is what buf makes of proto/ today.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const committed = 'libs/contracts/src/gen';
const fresh = mkdtempSync(join(tmpdir(), 'na-contracts-'));
try {
  execFileSync('buf', ['generate', '-o', fresh], { stdio: 'inherit' });
  const [before, after] = [filesIn(committed), filesIn(join(fresh, committed))];
  const different = [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
  for (const name of different) console.error(`${committed}/${name} is not what proto/ says: run npm run contracts:generate.`);
  process.exitCode = different.length > 0 ? 1 : 0;
} finally {
  rmSync(fresh, { recursive: true });
}

function filesIn(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(names.map(({ parentPath, name }) => [join(parentPath, name).slice(folder.length + 1), readFileSync(join(parentPath, name), 'utf8')]));
}
