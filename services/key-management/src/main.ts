// The key-management process.
import { runService } from '@na/service-host';
import { settings } from './settings.js';
import { startKeyManagement } from './start.js';

await runService('key-management', settings, startKeyManagement);
