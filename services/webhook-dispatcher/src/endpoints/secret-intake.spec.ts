import { expect, test } from '@jest/globals';
import { chosenSecretFaults } from '@na/contracts';
import { sealReply } from '@na/messaging';
import { parseSealingKeys } from './secret-box.js';
import { SecretIntake } from './secret-intake.js';

const key = (version: number) => `${version}:${Buffer.alloc(32, version).toString('base64')}`;
const intake = (...versions: number[]) => new SecretIntake(parseSealingKeys(versions.map(key)));
const secretOf = (bytes: number) => `whsec_${Buffer.from(Array.from({ length: bytes }, (_, place) => 251 - place)).toString('base64')}`;

test('a chosen secret that was sealed to one replica is opened by any other', () => {
  expect(intake(1).secretFrom(sealReply(secretOf(32), intake(1).publicKey))).toBe(secretOf(32));
});

test('while a new sealing key is rolled out, what was sealed to the older one still opens', () => {
  expect(intake(1, 2).secretFrom(sealReply(secretOf(32), intake(1).publicKey))).toBe(secretOf(32));
  expect(intake(1, 2).publicKey).toEqual(intake(2).publicKey);
  expect(() => intake(1).secretFrom(sealReply(secretOf(32), intake(2).publicKey))).toThrow(expect.objectContaining({ code: 'unavailable' }));
});

test('a secret that was tampered with is refused, and none at all is made', () => {
  const sealed = Buffer.from(sealReply(secretOf(32), intake(1).publicKey));
  sealed[50]! ^= 1;
  expect(() => intake(1).secretFrom(sealed)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  const [one, another] = [intake(1).secretFrom(new Uint8Array()), intake(1).secretFrom(new Uint8Array())];
  expect([chosenSecretFaults(one), one === another]).toEqual([[], false]);
});

test.each([
  ['23 bytes', secretOf(23), 'invalid_length'],
  ['65 bytes', secretOf(65), 'invalid_length'],
  ['nothing', 'whsec_', 'invalid_length'],
  ['no prefix', secretOf(32).slice(6), 'invalid_format'],
  ['another prefix', secretOf(32).replace('whsec', 'WHSEC'), 'invalid_format'],
  ['the URL alphabet', secretOf(32).replaceAll('+', '-').replaceAll('/', '_'), 'invalid_format'],
  ['no padding', secretOf(32).replace(/=+$/, ''), 'invalid_format'],
  ['one byte over and over', `whsec_${Buffer.alloc(32, 251).toString('base64')}`, 'too_weak'],
  ['a short pattern over and over', `whsec_${Buffer.alloc(60, 'secret').toString('base64')}`, 'too_weak'],
  ['a line break', `${secretOf(32)}\n`, 'invalid_format'],
])('a chosen secret of %s is refused at /secret and not shown', (_name, secret, code) => {
  expect.assertions(3);
  try {
    intake(1).secretFrom(sealReply(secret, intake(1).publicKey));
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/secret', code }] });
    expect((error as Error).message).not.toContain(secret.slice(6, 20) || '!');
    expect(JSON.stringify((error as { fields: unknown }).fields)).not.toContain(secret.slice(6, 20) || '!');
  }
});

test.each([24, 64])('a chosen secret of %d bytes is taken', (bytes) => {
  expect(chosenSecretFaults(secretOf(bytes))).toEqual([]);
});
