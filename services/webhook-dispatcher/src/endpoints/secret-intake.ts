// Takes secrets that customers chose themselves. They cross the bus sealed to a key that every replica makes of the
// sealing keys, so that any of them can open what was sealed for another.
import { hkdfSync } from 'node:crypto';
import { chosenSecretFaults, faultsIn, fieldFault } from '@na/contracts';
import { replyKeyFrom, type ReplyKey } from '@na/messaging';
import { ServiceError, type FieldFault } from '@na/service-error';
import { newEndpointSecret, type SealingKeys } from './secret-box.js';

export interface ChosenSecret {
  secret: string;
  /** With the pointer /secret; they say what is wrong and never show it. */
  faults: FieldFault[];
}

export class SecretIntake {
  /** Newest first: while a new sealing key is rolled out, the one who seals may have asked a replica without it. */
  private readonly keys: ReplyKey[];

  constructor(sealingKeys: SealingKeys) {
    const versions = [...sealingKeys.keys()].sort((a, b) => b - a);
    this.keys = versions.map((version) => replyKeyFrom(new Uint8Array(hkdfSync('sha256', sealingKeys.get(version)!, '', 'na webhook secret intake v1', 32))));
  }

  /** X25519, 32 bytes. */
  get publicKey(): Uint8Array {
    return this.keys[0]!.publicKey;
  }

  /**
   * The secret that was chosen, and what is wrong with it; a fresh one when none was.
   * @param sealed to `publicKey`; empty when none was chosen
   */
  read(sealed: Uint8Array): ChosenSecret {
    if (sealed.length === 0) return { secret: newEndpointSecret(), faults: [] };
    const secret = this.open(sealed);
    return { secret, faults: faultsIn('secret', chosenSecretFaults(secret)).map(fieldFault) };
  }

  /**
   * For requests in which nothing else can be wrong.
   * @throws ServiceError `invalid_request` with the faults of `read`
   */
  secretFrom(sealed: Uint8Array): string {
    const { secret, faults } = this.read(sealed);
    if (faults.length > 0) throw new ServiceError('invalid_request', 'The secret can not be used.', { fields: faults });
    return secret;
  }

  private open(sealed: Uint8Array): string {
    for (const key of this.keys) {
      try {
        return key.open(sealed);
      } catch {
        // Perhaps it was sealed to an older one.
      }
    }
    throw new ServiceError('unavailable', 'The chosen secret could not be opened, as the keys of the service are being changed. Try again.');
  }
}
