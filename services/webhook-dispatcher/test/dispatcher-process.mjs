// A dispatcher as a process of its own whose clock stands still until its test moves it: see dispatcher-process.ts. It
// runs what is built, as a deployment does.
import { createHost, loadConfig, serviceSettings } from '@na/service-host';
import { TestClock } from '@na/testing/test-clock';
import { settings } from '../dist/settings.js';
import { startWebhookDispatcher } from '../dist/start.js';

const config = loadConfig({ ...serviceSettings, ...settings }, process.env);
const clock = new TestClock();
const { host, close } = createHost('webhook-dispatcher', config.logLevel, clock, () => process.exit(1));

const orders = {
  setTime: ({ time }) => clock.set(new Date(time)),
  start: () => startWebhookDispatcher(config, host),
  stop: close,
};

process.on('message', async (order) => {
  await orders[order.name](order);
  process.send({ done: order.name });
});
process.on('disconnect', () => process.exit());
process.on('unhandledRejection', (error) => {
  process.stderr.write(`${error?.stack ?? error}\n`);
  process.exit(1);
});
