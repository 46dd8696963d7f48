// What may be done with a presented key. Every request asks key-management; remembering verdicts would be done here.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { KeyService, Verdict } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { invalidToken } from './challenge.js';
import type { KeyMaterial } from './key-material.js';

const timeoutMs = 3_000;

export class Verdicts {
  constructor(
    private readonly keys: Pick<RpcClient<typeof KeyService>, 'verifyKey'>,
    private readonly clock: Clock,
  ) {}

  /** @throws Problem that is the same for every key that may not be used, so that an outsider learns nothing of it */
  async of({ keyId, secretDigest }: KeyMaterial): Promise<Verdict> {
    const { status, verdict } = await this.keys.verifyKey({ keyId, secretDigest }, { timeoutMs }).catch(asOutage);
    if (status === 'suspended') throw new ServiceError('workspace_suspended', 'The workspace of this key is suspended. Ask the operator.');
    if (status !== 'valid' || !verdict || this.isExpired(verdict)) throw invalidToken();
    return verdict;
  }

  private isExpired({ expiresAt }: Verdict): boolean {
    return expiresAt !== undefined && this.clock.now() >= timestampDate(expiresAt);
  }
}

/** Without a verdict nothing has been done yet: a client may come back at once, whatever it asked for. */
function asOutage(error: unknown): never {
  const isLate = error instanceof ServiceError && error.code === 'deadline_exceeded';
  throw isLate ? new ServiceError('unavailable', 'API keys can not be checked right now. Try again.', { cause: error }) : error;
}
