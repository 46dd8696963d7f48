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

export interface Rotation {
  /** The same in each try of one request. */
  rotationId: string;
  secret: string;
  /** How long the secret of now signs along, 0 to 604,800; at 0 it and all before it end now. */
  overlapSeconds: number;
}

/** More than anyone makes of one endpoint in the day within which a request may be tried again. */
const rememberedRotations = 50;

/** Each one is another signature on every attempt, in a header that receivers must take. */
const maxPrevious = 5;

export class SecretRotation {
  constructor(
    private readonly store: EndpointStore,
    private readonly secrets: SecretBox,
    private readonly clock: Clock,
  ) {}

  /**
   * A rotation that an earlier try of the same request made is not made again.
   * @throws ServiceError `conflict` while five earlier ones sign along
   */
  async rotate(workspaceId: string, id: string, rotation: Rotation, ifMatch?: string): Promise<Endpoint> {
    const now = this.clock.now();
    const { after } = await this.store.change(workspaceId, id, (endpoint) => {
      if (endpoint.rotationIds.includes(rotation.rotationId)) return {};
      requireMatch(endpoint, ifMatch);
      return this.rotated(endpoint, rotation, now);
    });
    return after;
  }

  private rotated({ id, sealedSecret, previousSecrets, rotationIds }: Endpoint, { rotationId, secret, overlapSeconds }: Rotation, now: Date): Partial<Endpoint> {
    if (this.secrets.open(sealedSecret, id) === secret) throw alreadyCurrent();
    return {
      sealedSecret: this.secrets.seal(secret, id),
      previousSecrets: previousAfter(sealedSecret, previousSecrets, overlapSeconds, now),
      rotationIds: [rotationId, ...rotationIds].slice(0, rememberedRotations),
    };
  }
}

/**
 * What signs along after the secret of now, `sealed`, is replaced: nothing when no overlap is wanted, which is what somebody asks
 * for whose secret has leaked, whichever of them it was. Pure.
 */
export function previousAfter(sealed: Buffer, previous: PreviousSecret[], overlapSeconds: number, now: Date): PreviousSecret[] {
  if (overlapSeconds === 0) return [];
  const living = stillLiving(previous, now);
  if (living.length >= maxPrevious) throw tooManyPrevious(living);
  return [{ sealed: sealed.toString('base64'), until: new Date(now.getTime() + overlapSeconds * 1_000).toISOString() }, ...living];
}

function tooManyPrevious(living: PreviousSecret[]): ServiceError {
  const firstEnd = living.map(({ until }) => until).sort()[0];
  return new ServiceError(
    'conflict',
    `${maxPrevious} earlier secrets of this webhook still sign along, which is the most. The first of them ends at ${firstEnd}; before that, only a rotation with overlap_seconds 0 is possible, which ends them all at once.`,
  );
}

function alreadyCurrent(): ServiceError {
  const fields = [{ pointer: '/secret', code: 'unchanged', detail: 'This is the secret that the webhook has now.' }];
  return new ServiceError('invalid_request', 'A rotation needs another secret.', { fields });
}
