// The reporting process.
import { runService } from '@na/service-host';
import { settings } from './settings.js';
import { startReporting } from './start.js';

await runService('reporting', settings, startReporting);
