/** Where things are in the checkout. */
import { dirname, join } from 'node:path';

export const repositoryRoot = dirname(dirname(dirname(import.meta.dirname)));
/** Fetched programs: nothing in here is anybody's data, all of it can be fetched again. */
export const toolsFolder = join(repositoryRoot, '.tools');
export const defaultDataFolder = join(repositoryRoot, '.data');
