// Bounds what somebody who tries keys out can cost: so many failures per client address and minute, and no look-up after
// that. Each replica counts for itself. Keys that cost no look-up are no business of this file.
//
// A secret that was right once, or is right and may not be used, is no guess: a worker that was forgotten after a rotation
// must not shut out the new key of its neighbour. Its refusals are counted for that secret alone.
import { ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { InvalidToken } from '../auth/challenge.js';
import type { KeyMaterial } from '../auth/key-material.js';
import { Problem } from '../http/problem.js';
import { AddressMinutes } from './address-minutes.js';

interface Count {
  failures: number;
  /** Look-ups whose outcome is not known yet. */
  pending: number;
  /** Called when one of them has ended. */
  waiting: (() => void)[];
}

export class FailedCredentials {
  private readonly guesses: AddressMinutes<Count>;
  /** By secret. */
  private readonly refusals: AddressMinutes<{ failures: number }>;

  constructor(
    private readonly perMinute: number,
    clock: Clock,
  ) {
    this.guesses = new AddressMinutes<Count>(() => ({ failures: 0, pending: 0, waiting: [] }), clock);
    this.refusals = new AddressMinutes(() => ({ failures: 0 }), clock);
  }

  /**
   * Does a look-up for a client, and counts it if it fails for the credential's sake. Never more are under way than may
   * still fail: however many come at once, the limit holds, and good keys only wait for their turn.
   * @throws Problem `rate_limited` without looking anything up
   */
  async whileAllowed<T>(address: string, material: KeyMaterial, lookUp: () => Promise<T>): Promise<T> {
    const count = await this.turnOf(address, nameOf(material));
    count.pending += 1;
    try {
      return await lookUp();
    } catch (error) {
      if (isGuess(error)) count.failures += 1;
      else if (isRefusal(error)) this.refusals.of(address, nameOf(material)).failures += 1;
      throw error;
    } finally {
      count.pending -= 1;
      for (const proceed of count.waiting.splice(0)) proceed();
    }
  }

  /** Counts a failure that was plain without a look-up. @throws Problem `rate_limited` once there were too many */
  add(address: string): void {
    const count = this.guesses.of(address);
    this.refuseAfterTooMany(count, this.guesses);
    count.failures += 1;
  }

  private async turnOf(address: string, secret: string): Promise<Count> {
    for (;;) {
      const count = this.guesses.of(address);
      this.refuseAfterTooMany(count, this.guesses);
      const refused = this.refusals.known(address, secret);
      if (refused) this.refuseAfterTooMany(refused, this.refusals);
      if (count.failures + count.pending < this.perMinute) return count;
      await new Promise<void>((resolve) => count.waiting.push(resolve));
    }
  }

  private refuseAfterTooMany<C extends { failures: number; endsAtMs: number }>(count: C, minutes: Pick<AddressMinutes<C>, 'secondsLeft'>): void {
    if (count.failures < this.perMinute) return;
    throw new Problem('rate_limited', 'Too many requests from your address had no valid API key. Mend the key, then try again.', {
      headers: { 'retry-after': String(minutes.secondsLeft(count)) },
    });
  }
}

function nameOf({ keyId, secretDigest }: KeyMaterial): string {
  return `${keyId}:${secretDigest.toString('base64')}`;
}

function isGuess(error: unknown): boolean {
  return error instanceof InvalidToken && !error.wasRight;
}

/** An outage is not the client's doing. */
function isRefusal(error: unknown): boolean {
  return error instanceof ServiceError && ['unauthenticated', 'workspace_suspended', 'address_not_allowed'].includes(error.code);
}
