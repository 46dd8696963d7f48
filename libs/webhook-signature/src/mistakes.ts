// The usual mistakes with signatures, each as another way in which one may have come about: with another key, with
// something else before the body, over another body.
import type { HeaderLookup } from './request.js';
import { headerNames, standardPrefix, type Scheme } from './schemes.js';
import { decodedKey, textKey } from './secret.js';

/** A closed list; each with what to do about it. */
export const mistakes = {
  secret_without_prefix: 'The secret lacks its whsec_ prefix. Use it as it was shown when the webhook was created.',
  secret_white_space: 'The secret has white space around it, perhaps the line break at the end of a file. Trim it.',
  key_without_prefix: 'Made with the part after whsec_ as key. For X-Webhook-Signature the key is the whole secret as shown, whsec_ included.',
  key_decoded: 'Made with the base64-decoded secret as key. For X-Webhook-Signature the key is the text of the secret as shown.',
  key_not_decoded: 'Made with the text of the secret as key. For webhook-signature, remove whsec_ and decode the rest from base64.',
  key_decoded_with_prefix: 'Made with a key that was decoded together with whsec_. Remove the prefix before decoding from base64.',
  wrong_id: 'Made with another id than that of the webhook-id header: sign what the header says, not X-Webhook-Delivery or a field of the body.',
  timestamp_in_ms: 'Made with the timestamp in milliseconds on one side. webhook-timestamp is in seconds, and is signed as the text of the header.',
  signed_body_only: 'Made over the body alone. For webhook-signature, sign <webhook-id>.<webhook-timestamp>.<body>.',
  signed_id_and_timestamp: 'Made over id, timestamp and body. X-Webhook-Signature is made over the body alone.',
  body_reserialised: 'Made over the same JSON in another spelling: the body was parsed and written again. Take the raw bytes, before any JSON parser.',
  body_trailing_newline: 'Made over the same body with or without a line break at the end. Take the raw bytes, and don\'t pass them through an editor or "echo".',
  body_wrong_charset: 'Made over the same text in another character set. Take the raw bytes, or decode and encode them as UTF-8.',
  hex_instead_of_base64: 'The right value in hexadecimal. webhook-signature is v1, and base64.',
  base64_instead_of_hex: 'The right value in base64. X-Webhook-Signature is sha256= and lower-case hexadecimal.',
  wrong_spelling: 'The right value in another spelling. webhook-signature is v1, and padded base64; X-Webhook-Signature is sha256= and lower-case hexadecimal.',
  id_or_timestamp_changed: 'Secret and body are right, as X-Webhook-Signature matches: webhook-id or webhook-timestamp is not as it was sent.',
  unknown_form: 'Neither base64 nor hexadecimal of 32 bytes, or of a version that is not v1; receivers skip it.',
  unexplained: 'No usual mistake explains it: it was made with another secret, or over a body that differs in more than its spelling.',
} as const;

export type Mistake = keyof typeof mistakes;

interface Variant<T> {
  value: T;
  /** Absent for the right way. */
  mistake?: Mistake;
}

/** One way to make a signature, and the mistakes in it. */
export interface Recipe {
  key: Buffer;
  prefix: string;
  body: Buffer;
  mistakes: Mistake[];
}

/** Three mistakes at once explain nothing any more, and would be hundreds of recipes over a body of up to a megabyte. */
const maxMistakes = 2;

/** The right way first, then those with one mistake, then with two. */
export function recipes(scheme: Scheme, secret: string, header: HeaderLookup, body: Buffer): Recipe[] {
  const bodies = bodiesOf(body);
  const prefixes = scheme === 'standard' ? standardPrefixes(header, body) : rawBodyPrefixes(header);
  const keys = scheme === 'standard' ? standardKeys(secret) : rawBodyKeys(secret);
  return keys
    .flatMap((key) => prefixes.flatMap((prefix) => bodies.map((over) => recipe(key, prefix, over))))
    .filter((made) => made.mistakes.length <= maxMistakes)
    .sort((a, b) => a.mistakes.length - b.mistakes.length);
}

function recipe(key: Variant<Buffer>, prefix: Variant<string>, body: Variant<Buffer>): Recipe {
  const made = [key.mistake, prefix.mistake, body.mistake].filter((mistake) => mistake !== undefined);
  return { key: key.value, prefix: prefix.value, body: body.value, mistakes: made };
}

function standardKeys(secret: string): Variant<Buffer>[] {
  return [
    { value: decodedKey(secret) },
    { value: textKey(secret), mistake: 'key_not_decoded' },
    { value: textKey(withoutPrefix(secret)), mistake: 'key_not_decoded' },
    // Lenient decoders take the underscore for a digit of base64url.
    { value: Buffer.from(secret, 'base64'), mistake: 'key_decoded_with_prefix' },
  ];
}

function rawBodyKeys(secret: string): Variant<Buffer>[] {
  return [
    { value: textKey(secret) },
    { value: textKey(withoutPrefix(secret)), mistake: 'key_without_prefix' },
    { value: decodedKey(secret), mistake: 'key_decoded' },
  ];
}

function withoutPrefix(secret: string): string {
  return secret.replace(/^whsec_/, '');
}

function standardPrefixes(header: HeaderLookup, body: Buffer): Variant<string>[] {
  const [id, timestamp] = idAndTimestamp(header);
  const otherIds = [parse(body)?.['id'], header('x-webhook-delivery')].filter((other) => typeof other === 'string' && other !== id);
  const otherTimestamps = [`${timestamp}000`, timestamp.slice(0, -3)];
  return [
    { value: standardPrefix(id, timestamp) },
    ...otherIds.map((other) => ({ value: standardPrefix(other as string, timestamp), mistake: 'wrong_id' as const })),
    ...otherTimestamps.map((other) => ({ value: standardPrefix(id, other), mistake: 'timestamp_in_ms' as const })),
    { value: '', mistake: 'signed_body_only' },
  ];
}

function rawBodyPrefixes(header: HeaderLookup): Variant<string>[] {
  return [{ value: '' }, { value: standardPrefix(...idAndTimestamp(header)), mistake: 'signed_id_and_timestamp' }];
}

function idAndTimestamp(header: HeaderLookup): [string, string] {
  return [header(headerNames.id) ?? '', header(headerNames.timestamp) ?? ''];
}

function bodiesOf(body: Buffer): Variant<Buffer>[] {
  const text = body.toString('utf8');
  const json = parse(body);
  const respelled = json === undefined ? [] : [JSON.stringify(json), JSON.stringify(json, undefined, 2)];
  return [
    { value: body },
    ...respelled.map((other) => ({ value: Buffer.from(other), mistake: 'body_reserialised' as const })),
    { value: Buffer.from(text.replace(/[\r\n]+$/, '')), mistake: 'body_trailing_newline' },
    { value: Buffer.from(`${text}\n`), mistake: 'body_trailing_newline' },
    { value: Buffer.from(text, 'latin1'), mistake: 'body_wrong_charset' },
    { value: Buffer.from(body.toString('latin1'), 'utf8'), mistake: 'body_wrong_charset' },
  ];
}

function parse(body: Buffer): Record<string, unknown> | undefined {
  try {
    return (JSON.parse(body.toString('utf8')) as Record<string, unknown> | null) ?? undefined;
  } catch {
    return undefined;
  }
}
