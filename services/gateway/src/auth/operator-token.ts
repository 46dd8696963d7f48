// Recognises the operator's token, which is configuration and stored nowhere.
import { createHash, timingSafeEqual } from 'node:crypto';

export class OperatorToken {
  private readonly digest: Buffer;

  constructor(token: string) {
    this.digest = digestOf(token);
  }

  /** Compares digests: both sides have one length, and how long it takes says nothing about where they differ. */
  matches(presented: string): boolean {
    return timingSafeEqual(this.digest, digestOf(presented));
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
