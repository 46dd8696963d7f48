// Gives endpoints new secrets; the one before signs along until its overlap ends, so that receivers can change theirs in
// between without refusing anything.
import { ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { requireMatch } from './endpoint-message.js';
import type { Endpoint, PreviousSecret } from './endpoint.entity.js';
import type { EndpointStore } from './endpoint-store.js';
import { stillLiving } from './living-secrets.js';
import type { SecretBox } from './secret-box.js';

export const defaultOverlapSeconds = 86_400;

/** Each one is another signature on every attempt, in a header that receivers must take. */
const maxPrevious = 5;

export class SecretRotation {
  constructor(
    private readonly store: EndpointStore,
    private readonly secrets: SecretBox,
    private readonly clock: Clock,
  ) {}

  /**
   * @param overlapSeconds how long the secret of now signs along, 0 to 604,800; at 0 its end is now
   * @throws ServiceError `conflict` while five earlier ones sign along
   */
  async rotate(workspaceId: string, id: string, secret: string, overlapSeconds: number, ifMatch?: string): Promise<Endpoint> {
    const now = this.clock.now();
    const { after } = await this.store.change(workspaceId, id, (endpoint) => {
      requireMatch(endpoint, ifMatch);
      const { sealedSecret, previousSecrets } = endpoint;
      if (this.secrets.open(sealedSecret, id) === secret) throw alreadyCurrent();
      return { sealedSecret: this.secrets.seal(secret, id), previousSecrets: previousAfter(sealedSecret, previousSecrets, overlapSeconds, now) };
    });
    return after;
  }
}

/** What signs along after the secret of now, `sealed`, is replaced. Pure. */
export function previousAfter(sealed: Buffer, previous: PreviousSecret[], overlapSeconds: number, now: Date): PreviousSecret[] {
  const living = stillLiving(previous, now);
  if (overlapSeconds === 0) return living;
  if (living.length >= maxPrevious) throw tooManyPrevious(living);
  return [{ sealed: sealed.toString('base64'), until: new Date(now.getTime() + overlapSeconds * 1_000).toISOString() }, ...living];
}

function tooManyPrevious(living: PreviousSecret[]): ServiceError {
  const firstEnd = living.map(({ until }) => until).sort()[0];
  return new ServiceError(
    'conflict',
    `${maxPrevious} earlier secrets of this webhook still sign along, which is the most. The first of them ends at ${firstEnd}; before that, only a rotation with overlap_seconds 0 is possible.`,
  );
}

function alreadyCurrent(): ServiceError {
  const fields = [{ pointer: '/secret', code: 'unchanged', detail: 'This is the secret that the webhook has now.' }];
  return new ServiceError('invalid_request', 'A rotation needs another secret.', { fields });
}
