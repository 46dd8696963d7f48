// Certificates made for one test: of a host, by an authority of the test's own or by themselves, with whatever dates. X.509
// (RFC 5280) with as little in it as OpenSSL accepts, so that no private key lies in the repository and none ever expires.
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface Certificate {
  /** PEM. */
  cert: string;
  /** PEM. */
  key: string;
}

export interface CertificateWishes {
  /** Names and IPv4 addresses it is good for. */
  hosts?: string[];
  validFrom?: Date;
  validUntil?: Date;
}

interface Issuer {
  name: Buffer;
  key: KeyObject;
}

const dayMs = 86_400_000;

/** Trust it with `tls.setDefaultCACertificates`, and servers with its certificates are trusted. */
export class CertificateAuthority {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private readonly name = commonName(`Test authority ${randomBytes(4).toString('hex')}`);
  /** PEM. */
  readonly cert = pem(certificate(this.name, this.keys.publicKey, { isAuthority: true }, { name: this.name, key: this.keys.privateKey }));

  issue(wishes: CertificateWishes = {}): Certificate {
    return make(wishes, { name: this.name, key: this.keys.privateKey });
  }
}

export function selfSigned(wishes: CertificateWishes = {}): Certificate {
  return make(wishes);
}

function make(wishes: CertificateWishes, issuer?: Issuer): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = commonName('Test server');
  const cert = certificate(name, publicKey, { hosts: ['localhost', '127.0.0.1'], ...wishes }, issuer ?? { name, key: privateKey });
  return { cert: pem(cert), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

function certificate(subject: Buffer, publicKey: KeyObject, wishes: CertificateWishes & { isAuthority?: boolean }, issuer: Issuer): Buffer {
  const { validFrom = new Date(Date.now() - dayMs), validUntil = new Date(Date.now() + dayMs) } = wishes;
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    issuer.name,
    sequence(utcTime(validFrom), utcTime(validUntil)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...(wishes.isAuthority ? [basicConstraints] : [alternativeNames(wishes.hosts ?? [])]))),
  );
  return sequence(toBeSigned, ecdsaWithSha256, bitString(sign('sha256', toBeSigned, issuer.key)));
}

function pem(bytes: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

/** Tag, length, contents. */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), body]);
}

function sequence(...contents: Buffer[]): Buffer {
  return der(0x30, ...contents);
}

function bitString(bytes: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), bytes);
}

/** @param hex the encoded object identifier */
function identifier(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
const isTrue = der(0x01, Buffer.from([255]));
const basicConstraints = sequence(identifier('551d13'), isTrue, der(0x04, sequence(isTrue)));

function commonName(text: string): Buffer {
  return sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(text)))));
}

function alternativeNames(hosts: string[]): Buffer {
  const names = hosts.map((host) => (isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host))));
  return sequence(identifier('551d11'), der(0x04, sequence(...names)));
}

/** Good until 2049. */
function utcTime(date: Date): Buffer {
  const text = date.toISOString().replace(/\.\d+|\D(?!$)/g, '');
  return der(0x17, Buffer.from(text.slice(2)));
}
