// What is wrong with a secret that customers choose for their webhook. Pure.
import { fault, type Fault } from './fault.js';

/** Of 24 random bytes not once in 10³⁰ so few are different; a repeated byte or pattern has fewer. */
const leastKinds = 8;

/** Of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes. No fault shows the secret. */
export function chosenSecretFaults(secret: string): Fault[] {
  const [, encoded] = /^whsec_(.*)$/s.exec(secret) ?? [];
  if (encoded === undefined) return [fault('invalid_format', 'Must begin with whsec_.')];
  const bytes = Buffer.from(encoded, 'base64');
  // Receivers decode it with libraries of all kinds: only the canonical form is read alike by all of them.
  if (bytes.toString('base64') !== encoded) return [fault('invalid_format', 'What follows whsec_ must be padded base64, of the standard alphabet and without white space.')];
  if (bytes.length < 24 || bytes.length > 64) return [fault('invalid_length', `What follows whsec_ must be the base64 of 24 to 64 bytes; it is that of ${bytes.length}.`)];
  if (new Set(bytes).size < leastKinds) return [fault('too_weak', `Its bytes are of fewer than ${leastKinds} different values, so that it can be guessed. Take random ones.`)];
  return [];
}
