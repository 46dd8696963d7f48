// Takes reports of leaked keys. Who has a key's secret may have it revoked: more harm can't be done with it than by using
// it. What becomes of a report is said to nobody, so that it can't serve to find out which keys are real.
import type { KeyService } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import { parseKey, type KeyMaterial } from '../auth/key-material.js';
import type { LeakReports } from '../limits/leak-reports.js';
import { barrierMs } from '../slow-calls.js';

type Keys = Pick<RpcClient<typeof KeyService>, 'revokeLeakedKey'>;

export interface Reporter {
  address: string;
  requestId: string;
}

/** Look-ups of one report at the same time: reports must not take key-management from those who have keys. */
const atOnce = 10;

export class Leaks {
  constructor(
    private readonly keys: Keys,
    private readonly reports: Pick<LeakReports, 'admit'>,
  ) {}

  /**
   * Whatever one of them comes to, the others are looked up too.
   * @throws ServiceError `rate_limited` with nothing done, `unavailable` or `deadline_exceeded` when some could not be looked up
   */
  async take(reported: string[], reporter: Reporter): Promise<void> {
    const different = [...new Set(reported.map((text) => text.trim()))];
    const keys = different.map(parseKey).filter((material) => material !== null);
    this.reports.admit(reporter.address, keys.length);
    const results: PromiseSettledResult<void>[] = [];
    for (let from = 0; from < keys.length; from += atOnce) {
      results.push(...(await Promise.allSettled(keys.slice(from, from + atOnce).map((material) => this.revoke(material, reporter)))));
    }
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  private async revoke(material: KeyMaterial, reporter: Reporter): Promise<void> {
    await this.keys.revokeLeakedKey({ ...material, ...reporter }, { timeoutMs: barrierMs });
  }
}
