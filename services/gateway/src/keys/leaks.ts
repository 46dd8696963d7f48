// Takes reports of leaked keys. Who has a key's secret may have it revoked: more harm can't be done with it than by using
// it. What becomes of a report is said to nobody, so that it can't serve to find out which keys are real.
import type { KeyService } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import { invalidToken } from '../auth/challenge.js';
import { parseKey, type KeyMaterial } from '../auth/key-material.js';
import type { FailedCredentials } from '../limits/failed-credentials.js';
import { barrierMs } from '../slow-calls.js';

type Keys = Pick<RpcClient<typeof KeyService>, 'revokeLeakedKey'>;

export interface Reporter {
  address: string;
  requestId: string;
}

export class Leaks {
  constructor(
    private readonly keys: Keys,
    private readonly failures: FailedCredentials,
  ) {}

  /** @throws ServiceError `rate_limited` after too many that ended no key, `unavailable` when some could not be looked up */
  async take(reported: string[], reporter: Reporter): Promise<void> {
    const different = new Set(reported.map((text) => text.trim()));
    const results = await Promise.allSettled([...different].map((text) => this.takeOne(text, reporter)));
    for (const result of results) if (result.status === 'rejected' && !isWrongKey(result.reason)) throw result.reason;
  }

  private async takeOne(text: string, reporter: Reporter): Promise<void> {
    const material = parseKey(text);
    if (material) await this.failures.whileAllowed(reporter.address, () => this.revoke(material, reporter));
    else this.failures.add(reporter.address);
  }

  /** What ends no key is one more wrong credential of its reporter's, also when it did open one. */
  private async revoke(material: KeyMaterial, reporter: Reporter): Promise<void> {
    const { revoked } = await this.keys.revokeLeakedKey({ ...material, ...reporter }, { timeoutMs: barrierMs });
    if (!revoked) throw invalidToken();
  }
}

function isWrongKey(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'unauthenticated';
}
