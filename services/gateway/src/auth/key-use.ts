// When keys were last used: gathered in memory, and told to key-management now and then, so that a request costs no write.
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { KeyService } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import type { Host } from '@na/service-host';

/** With the call itself well within the minute that a key's `last_used_at` may be late. */
const flushEveryMs = 30_000;

const maxPerCall = 1_000;

/** While key-management can't be told, no more keys than this are kept; the times of others are lost. */
const maxKept = 100_000;

type Keys = Pick<RpcClient<typeof KeyService>, 'recordKeyUse'>;

export class KeyUse {
  private readonly lastUsed = new Map<string, number>();
  private readonly stopped = new AbortController();
  private work: Promise<void> = Promise.resolve();

  private constructor(
    private readonly keys: Keys,
    private readonly host: Host,
  ) {}

  static start(keys: Keys, host: Host): KeyUse {
    const use = new KeyUse(keys, host);
    use.work = use.run();
    host.onStop('key use', () => use.stop());
    return use;
  }

  /** For requests that were let in, only. */
  record(keyId: string): void {
    if (this.lastUsed.size < maxKept || this.lastUsed.has(keyId)) this.lastUsed.set(keyId, this.host.clock.now().getTime());
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.host.clock.wait(flushEveryMs, this.stopped.signal);
      await this.flush();
    }
  }

  private async stop(): Promise<void> {
    this.stopped.abort();
    await this.work;
  }

  private async flush(): Promise<void> {
    const gathered = [...this.lastUsed];
    this.lastUsed.clear();
    for (let from = 0; from < gathered.length; from += maxPerCall) await this.tell(gathered.slice(from, from + maxPerCall));
  }

  private async tell(uses: [string, number][]): Promise<void> {
    try {
      await this.keys.recordKeyUse({ uses: uses.map(([keyId, ms]) => ({ keyId, lastUsedAt: timestampFromMs(ms) })) });
    } catch (error) {
      this.host.logger.warn({ err: error, keys: uses.length }, 'the use of keys could not be recorded; it will be tried again');
      for (const [keyId, ms] of uses) this.keep(keyId, ms);
    }
  }

  /** What was gathered meanwhile is newer. */
  private keep(keyId: string, ms: number): void {
    if (!this.lastUsed.has(keyId) && this.lastUsed.size < maxKept) this.lastUsed.set(keyId, ms);
  }
}
