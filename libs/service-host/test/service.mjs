// A service for run-service.spec.ts: it starts when its launcher says so, fails when it is told to, and its telemetry can't
// be flushed.
import { once } from 'node:events';
import { runService } from '@na/service-host';

globalThis[Symbol.for('na.telemetry.shutdown')] = () => Promise.reject(new Error('the collector is gone'));

await runService('test', {}, async (_config, host) => {
  const starting = once(process, 'message');
  process.send({ type: 'starting' });
  await starting;
  process.on('message', () => host.fail(new Error('the bus is gone for good')));
  host.onStop('a part whose end is no surprise', () => host.fail(new Error('closed')));
});
