// Seals endpoint secrets at rest with AES-256-GCM under versioned keys that live outside the database.
// Shape of the sealed bytes: key version (1) | nonce (12) | ciphertext | tag (16). The endpoint's id is authenticated with
// it, so that a secret copied to another row does not open.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

export type SealingKeys = ReadonlyMap<number, Buffer>;

const nonceBytes = 12;
const tagBytes = 16;

/**
 * @param entries `<version 1–255>:<base64 of 32 bytes>` each
 * @throws Error that says which entry is wrong, without showing it
 */
export function parseSealingKeys(entries: string[]): SealingKeys {
  const keys = new Map(
    entries.map((entry, index) => {
      const [version, encoded = ''] = entry.split(':', 2);
      const key = Buffer.from(encoded, 'base64');
      if (!/^\d{1,3}$/.test(version!) || Number(version) < 1 || Number(version) > 255 || key.length !== 32) {
        throw new Error(`entry ${index + 1} is not <version 1-255>:<base64 of 32 bytes>`);
      }
      return [Number(version), key] as const;
    }),
  );
  if (keys.size === 0) throw new Error('at least one key is needed');
  return keys;
}

export class SecretBox {
  /** The version of the key that seals. */
  readonly newest: number;

  /** Made once: of bytes each opening would make its own, which takes longer than the opening. */
  private readonly keys: ReadonlyMap<number, KeyObject>;

  constructor(keys: SealingKeys) {
    this.newest = Math.max(...keys.keys());
    this.keys = new Map([...keys].map(([version, key]) => [version, createSecretKey(key)]));
  }

  seal(secret: string, endpointId: string): Buffer {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.keys.get(this.newest)!, nonce).setAAD(Buffer.from(endpointId));
    return Buffer.concat([Buffer.of(this.newest), nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws Error when the key is not known any more or the bytes are not what was sealed for this endpoint */
  open(sealed: Buffer, endpointId: string): string {
    const version = sealedVersion(sealed);
    const key = this.keys.get(version);
    if (!key) throw new Error(`The secret of ${endpointId} is sealed with key version ${version}, which WEBHOOK_SEALING_KEYS lacks.`);
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + nonceBytes)).setAAD(Buffer.from(endpointId));
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(1 + nonceBytes, sealed.length - tagBytes)), decipher.final()]).toString('utf8');
  }
}

/** The version of the key that `sealed` was sealed with. */
export function sealedVersion(sealed: Buffer): number {
  return sealed[0]!;
}

/** `whsec_` and the base64 of 32 random bytes: the form that Standard Webhooks libraries take. */
export function newEndpointSecret(random: Buffer = randomBytes(32)): string {
  return `whsec_${random.toString('base64')}`;
}
