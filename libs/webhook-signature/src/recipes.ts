// The ways a signature may have come about: the right one, and those with the usual mistakes in key, in what stands before
// the body, or in the body.
import type { Mistake } from './mistakes.js';
import type { HeaderLookup } from './request.js';
import { headerNames, standardPrefix, type Scheme } from './schemes.js';
import { decodedKey, textKey } from './secret.js';

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
  const otherIds = [idOf(body), header('x-webhook-delivery')].filter((other) => typeof other === 'string' && other !== id);
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
  return [
    { value: body },
    // Not a regular expression: on many line breaks that are not at the end one takes quadratic time.
    { value: Buffer.from(text.trimEnd()), mistake: 'body_trailing_newline' },
    { value: Buffer.from(`${text}\n`), mistake: 'body_trailing_newline' },
    // After the line break, which writing the JSON again removes as well. The sender writes it without any white space.
    { value: Buffer.from(attempt(() => JSON.stringify(JSON.parse(text))) ?? text), mistake: 'body_reserialised' },
    { value: Buffer.from(text, 'latin1'), mistake: 'body_wrong_charset' },
    { value: Buffer.from(body.toString('latin1'), 'utf8'), mistake: 'body_wrong_charset' },
    ...(text.startsWith(byteOrderMark) ? [{ value: Buffer.from(text.slice(1)), mistake: 'body_wrong_charset' as const }] : []),
    ...fromQuotes(text).map((value) => ({ value, mistake: 'body_quoted' as const })),
    ...fromBase64(text).map((value) => ({ value, mistake: 'body_base64' as const })),
  ];
}

const byteOrderMark = '\ufeff';

/** Empty for what is neither a JSON string nor Python's `b'…'`. */
function fromQuotes(text: string): Buffer[] {
  const trimmed = text.trim();
  if (/^b(['"])/.test(trimmed) && trimmed.length > 2 && trimmed.endsWith(trimmed[1]!)) return [fromPythonBytes(trimmed.slice(2, -1))];
  const quoted = trimmed.startsWith('"') ? attempt(() => JSON.parse(trimmed) as unknown) : undefined;
  return typeof quoted === 'string' ? [Buffer.from(quoted)] : [];
}

/** Of what stands between the quotes: each character is a byte, or escaped. */
function fromPythonBytes(escaped: string): Buffer {
  const byName: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  const bytes = escaped.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex?: string, char?: string) => (hex ? String.fromCharCode(parseInt(hex, 16)) : (byName[char!] ?? char!)));
  return Buffer.from(bytes, 'latin1');
}

/** Empty for what is not the base64 of anything, in its usual alphabet and on one line. */
function fromBase64(text: string): Buffer[] {
  const trimmed = text.trim();
  const decoded = Buffer.from(trimmed, 'base64');
  const spelled = decoded.toString('base64');
  return decoded.length > 0 && (spelled === trimmed || spelled.replace(/={1,2}$/, '') === trimmed) ? [decoded] : [];
}

function idOf(body: Buffer): unknown {
  return attempt(() => (JSON.parse(body.toString('utf8')) as { id?: unknown } | null)?.id);
}

/** Undefined for what is not JSON, or nested too deeply to be written again. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
