/** Deletes everything that `npm start` has stored: the data folder, and the cluster that root keeps outside of it. */
import { existsSync, rmSync } from 'node:fs';
import { postgresFolder, takeDataFolder } from './data-folder.ts';
import { outsidePlace } from './postgres-place.ts';
import { readSettings } from './settings.ts';

try {
  const { dataDir } = readSettings(process.env);
  if (existsSync(dataDir)) reset(dataDir);
  else console.log(`There is nothing in ${dataDir}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function reset(dataDir: string): void {
  takeDataFolder(dataDir, 'resetting');
  const outside = outsidePlace(postgresFolder(dataDir));
  for (const folder of [outside, dataDir].filter((path) => path !== undefined)) {
    rmSync(folder, { recursive: true, force: true });
    console.log(`Deleted ${folder}.`);
  }
}
