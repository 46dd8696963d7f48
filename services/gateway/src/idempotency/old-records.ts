// Deletes records that no repeat is answered from any more. Every replica does it: what another was faster with is gone.
import type { Host } from '@na/service-host';
import type { IdempotencyRecords } from './idempotency-records.js';

const everyMs = 10 * 60 * 1_000;

export function keepDeletingOldRecords(records: IdempotencyRecords, host: Host): void {
  const stop = new AbortController();
  const asLogged = (error: unknown) => host.logger.warn({ err: error }, 'old idempotency records could not be deleted');
  const loop = async () => {
    while (!stop.signal.aborted) {
      const mayBeMore = await records.deleteOld().catch(asLogged);
      if (!mayBeMore) await host.clock.wait(everyMs, stop.signal);
    }
  };
  const ended = loop();
  host.onStop('deletion of old idempotency records', () => {
    stop.abort();
    return ended;
  });
}
