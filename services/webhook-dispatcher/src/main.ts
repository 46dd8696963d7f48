import { runService } from '@na/service-host';
import { settings } from './settings.js';
import { startWebhookDispatcher } from './start.js';

await runService('webhook-dispatcher', settings, startWebhookDispatcher);
