// Deletes the windows that are over. Every replica does it: what another was faster with is gone.
import type { Host } from '@na/service-host';
import type { RateWindowStore } from './rate-window-store.js';

const everyMs = 60_000;

export function keepDeletingOldWindows(store: Pick<RateWindowStore, 'deleteOld'>, host: Host): void {
  const stopped = new AbortController();
  const loop = async () => {
    while (!stopped.signal.aborted) {
      await store.deleteOld(host.clock.now()).catch((error: unknown) => host.logger.warn({ err: error }, 'old rate windows could not be deleted'));
      await host.clock.wait(everyMs, stopped.signal);
    }
  };
  const ended = loop();
  host.onStop('old rate windows', () => {
    stopped.abort();
    return ended;
  });
}
