// The gateway process.
import { runService } from '@na/service-host';
import { settings } from './settings.js';
import { startGateway } from './start.js';

await runService('gateway', settings, startGateway);
