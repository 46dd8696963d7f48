// What is stored of a key's secret, and how a presented one is held against it. Pure but for the peppers it is given.
//
// Stored is HMAC-SHA256(pepper, SHA-256 of the secret). A fast function is right here: the secret has 256 random bits, so
// guessing is hopeless at any speed. The pepper, kept outside the database, is what makes a stolen table useless for
// recognising keys found elsewhere, and a row that someone wrote into the table worthless.
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface Pepper {
  version: number;
  /** 32 bytes. */
  key: Buffer;
}

export interface StoredDigest {
  secretMac: Buffer;
  pepperVersion: number;
}

/** Bytes of a SHA-256 digest, and of the HMAC over it. */
export const digestBytes = 32;

export class KeyDigester {
  private readonly peppers: Map<number, Buffer>;
  private readonly newest: number;
  /** Stands in for a key that does not exist, so that an unknown key costs the same work as a wrong secret. */
  private readonly dummy: StoredDigest;

  constructor(peppers: Pepper[]) {
    this.peppers = new Map(peppers.map(({ version, key }) => [version, key]));
    this.newest = Math.max(...this.peppers.keys());
    this.dummy = { secretMac: Buffer.alloc(digestBytes), pepperVersion: this.newest };
  }

  store(secretDigest: Uint8Array): StoredDigest {
    return { secretMac: this.mac(secretDigest, this.newest), pepperVersion: this.newest };
  }

  /** @param stored what is stored of the key, or undefined if there is no such key: the answer is then false */
  matches(stored: StoredDigest | undefined, secretDigest: Uint8Array): boolean {
    const { secretMac, pepperVersion } = stored ?? this.dummy;
    const equal = timingSafeEqual(secretMac, this.mac(secretDigest, pepperVersion));
    return equal && stored !== undefined;
  }

  /** Whether the pepper that it was made with is still there. */
  knows({ pepperVersion }: StoredDigest): boolean {
    return this.peppers.has(pepperVersion);
  }

  private mac(secretDigest: Uint8Array, version: number): Buffer {
    const pepper = this.peppers.get(version);
    if (!pepper) throw new Error(`KEY_PEPPERS lacks version ${version}, which stored keys were made with.`);
    return createHmac('sha256', pepper).update(secretDigest).digest();
  }
}
