// Lets a service hand a secret to the one who asked for it without anyone on the bus reading it: the asker sends a fresh
// X25519 public key, the answerer seals to it. Forward secret: both private keys are forgotten after the exchange.
// Shape of the sealed bytes: ephemeral public key (32) | nonce (12) | AES-256-GCM ciphertext | tag (16).
import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** What comes before the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');

export interface ReplyKey {
  /** Goes into the request. */
  publicKey: Uint8Array;
  /** Opens what was sealed to the public key. @throws Error when it was sealed to another or tampered with. */
  open(sealed: Uint8Array): string;
}

export function createReplyKey(): ReplyKey {
  return replyKeyOf(generateKeyPairSync('x25519').privateKey);
}

/**
 * The same key each time, for an asker that others must be able to seal to before it asks. Not forward secret: who learns
 * the private key can open whatever was ever sealed to it.
 * @param privateKey 32 bytes that are as hard to guess as a key
 */
export function replyKeyFrom(privateKey: Uint8Array): ReplyKey {
  return replyKeyOf(createPrivateKey({ key: Buffer.concat([pkcs8Prefix, privateKey]), format: 'der', type: 'pkcs8' }));
}

function replyKeyOf(privateKey: KeyObject): ReplyKey {
  const raw = rawPublicKey(createPublicKey(privateKey));
  return {
    publicKey: raw,
    open: (sealed) => {
      const bytes = Buffer.from(sealed);
      const sender = bytes.subarray(0, keyBytes);
      const nonce = bytes.subarray(keyBytes, keyBytes + nonceBytes);
      const decipher = createDecipheriv('aes-256-gcm', sharedKey(privateKey, sender, sender, raw), nonce);
      decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
      return Buffer.concat([decipher.update(bytes.subarray(keyBytes + nonceBytes, bytes.length - tagBytes)), decipher.final()]).toString('utf8');
    },
  };
}

/** @throws Error when `replyPublicKey` is not 32 bytes */
export function sealReply(secret: string, replyPublicKey: Uint8Array): Uint8Array {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const sender = rawPublicKey(publicKey);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', sharedKey(privateKey, replyPublicKey, sender, replyPublicKey), nonce);
  return Buffer.concat([sender, nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function sharedKey(privateKey: KeyObject, peer: Uint8Array, sender: Uint8Array, receiver: Uint8Array): Uint8Array {
  const peerKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(peer).toString('base64url') }, format: 'jwk' });
  const secret = diffieHellman({ privateKey, publicKey: peerKey });
  return new Uint8Array(hkdfSync('sha256', secret, Buffer.concat([sender, receiver]), 'na sealed reply v1', 32));
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url');
}
