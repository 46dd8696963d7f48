// Explains a signature: what was signed, which value was expected, and what went wrong where the given one is another.
// The secret goes into the computation and into nothing else.
import { headerLookup, rawBytes, type HeaderLookup, type RawBody, type RequestHeaders } from './request.js';
import { mistakes, type Mistake } from './mistakes.js';
import { recipes } from './recipes.js';
import { refuse, type Refusal } from './refusal.js';
import { headerNames, hmac, rawBodySignature, standardPrefix, standardSignature, type Scheme } from './schemes.js';
import { readSecrets } from './secret.js';
import { verifyWebhook, type VerifyOptions } from './verify.js';

export interface ExplainOptions {
  secret: string;
  headers: RequestHeaders;
  body: RawBody;
  toleranceSeconds?: number;
  now?: Date;
}

export interface Explanation {
  /**
   * Whether `verifyWebhook` takes the request, by the first of `schemes`. Of one that it refuses for its age, as it does every
   * stored one, this says first whether the signature matches. Where none does, `detail` is what most likely went wrong.
   */
  verdict: { ok: true } | Refusal;
  /** Those whose headers are there; none without a well-formed secret and a raw body, which `verdict` then tells of. */
  schemes: SchemeExplanation[];
}

export interface SchemeExplanation {
  scheme: Scheme;
  /** What the signature is made over. Bytes that are not UTF-8 show as U+FFFD in `text`. */
  signed: { text: string; bytes: number };
  expected: string;
  given: GivenSignature[];
  /** Whether one of `given` is `expected`; a timestamp that is too old does not change that. */
  matches: boolean;
}

export interface GivenSignature {
  header: string;
  value: string;
  matches: boolean;
  /** Most likely why it doesn't match: one mistake, or several that were made together. */
  mistakes: { code: Mistake; detail: string }[];
}

export function explainSignature({ secret, headers, body, ...when }: ExplainOptions): Explanation {
  const header = headerLookup(headers);
  const bytes = rawBytes(body);
  const mended = mend(secret);
  const schemes = bytes && readSecrets(mended.secret).ok ? explainSchemes(mended, header, bytes) : [];
  return { verdict: verdictOn({ body, headers, secrets: secret, scheme: schemes[0]?.scheme, ...when }, schemes), schemes };
}

/** @param schemes the one that is judged goes first */
function verdictOn(request: VerifyOptions, schemes: SchemeExplanation[]): Explanation['verdict'] {
  const result = verifyWebhook(request);
  if (result.ok) return { ok: true };
  const isForAge = result.reason === 'timestamp_too_old' || result.reason === 'timestamp_too_new';
  if (!isForAge) return withWhatWasFound(result, schemes);
  const whenever = verifyWebhook({ ...request, toleranceSeconds: Infinity });
  if (whenever.ok) return refuse(result.reason, `The signature matches: the secret and the body are right. A receiver refuses the request for its age alone: ${result.detail}`);
  const { reason, detail } = withWhatWasFound(whenever, schemes);
  return refuse(reason, `${detail} Besides, ${result.detail}`);
}

/** Whoever reads nothing but the verdict is told the cause, and never that nothing matches while something does. */
function withWhatWasFound(refusal: Refusal, schemes: SchemeExplanation[]): Refusal {
  if (refusal.reason === 'no_match') return refuse('no_match', `${whatMatches(schemes)} ${likeliestCause(schemes)}`);
  if (refusal.reason === 'malformed_signature' && schemes.some(isExplained)) return refuse(refusal.reason, `${refusal.detail} ${likeliestCause(schemes)}`);
  return refusal;
}

function whatMatches(schemes: SchemeExplanation[]): string {
  if (!schemes.some(({ matches }) => matches)) return 'No signature matches.';
  return 'webhook-signature does not match, X-Webhook-Signature does.';
}

/** Of the scheme that is judged, unless only the other one has a cause that is known. */
function likeliestCause(schemes: SchemeExplanation[]): string {
  const { given } = schemes.find(isExplained) ?? schemes[0]!;
  const told = given.find(isExplainedSignature) ?? given.find(({ mistakes: [first] }) => first?.code !== 'unknown_form') ?? given[0]!;
  return told.mistakes.map(({ detail }) => detail).join(' ');
}

function isExplained({ given }: SchemeExplanation): boolean {
  return given.some(isExplainedSignature);
}

function isExplainedSignature({ mistakes: made }: GivenSignature): boolean {
  return made.length > 0 && made.every(({ code }) => code !== 'unexplained' && code !== 'unknown_form');
}

interface Mended {
  secret: string;
  mistakes: Mistake[];
}

/** So that a secret that is only spelled wrongly does not hide whether it is the right one. */
function mend(secret: string): Mended {
  const trimmed = String(secret).trim();
  const hasPrefix = trimmed.startsWith('whsec_');
  const made: Mistake[] = [];
  if (trimmed !== secret) made.push('secret_white_space');
  if (!hasPrefix) made.push('secret_without_prefix');
  return { secret: hasPrefix ? trimmed : `whsec_${trimmed}`, mistakes: made };
}

function explainSchemes(secret: Mended, header: HeaderLookup, body: Buffer): SchemeExplanation[] {
  const otherwise = withoutRecipe(body);
  const rawBody = explainScheme('raw-body', secret, header, body, otherwise);
  const standard = explainScheme('standard', secret, header, body, rawBody.matches ? 'id_or_timestamp_changed' : otherwise);
  return [standard, rawBody].filter(({ given }) => given.length > 0);
}

/** What is seen of a body that says nothing any more of what was sent. */
function withoutRecipe(body: Buffer): Mistake {
  if (body.length === 0) return 'body_empty';
  return /^\[object \w{1,40}\]\s{0,2}$/.test(body.toString('utf8', 0, 64)) ? 'body_object_as_text' : 'unexplained';
}

/** @param otherwise what to say of a signature that no mistake leads to */
function explainScheme(scheme: Scheme, mended: Mended, header: HeaderLookup, body: Buffer, otherwise: Mistake): SchemeExplanation {
  const { secret, mistakes: made } = mended;
  const prefix = scheme === 'standard' ? standardPrefix(header(headerNames.id) ?? '', header(headerNames.timestamp) ?? '') : '';
  const expected = scheme === 'standard' ? standardSignature(secret, prefix, body) : rawBodySignature(secret, body);
  const causesOf = causeSearch(scheme, secret, header, body);
  const given = givenSignatures(scheme, header).map(({ name, value }) => {
    const causes = value === expected ? made : [...made, ...(causesOf(value) ?? [otherwise])];
    return { header: name, value, matches: causes.length === 0, mistakes: causes.map((code) => ({ code, detail: mistakes[code] })) };
  });
  const signed = Buffer.concat([Buffer.from(prefix), body]);
  return { scheme, signed: { text: signed.toString('utf8'), bytes: signed.length }, expected, given, matches: given.some(({ matches }) => matches) };
}

function givenSignatures(scheme: Scheme, header: HeaderLookup): { name: string; value: string }[] {
  const names = scheme === 'standard' ? [headerNames.standard] : [headerNames.rawBody, headerNames.rawBodyPrevious];
  return names.flatMap((name) => (header(name) ?? '').split(/\s+/).filter(Boolean).map((value) => ({ name, value })));
}

/** Tries the ways a signature is usually got wrong; each is computed once, and none before it is needed. */
function causeSearch(scheme: Scheme, secret: string, header: HeaderLookup, body: Buffer): (given: string) => Mistake[] | undefined {
  let tried: { digest: Buffer; made: Mistake[] }[] | undefined;
  return (given) => {
    const read = readSignature(scheme, given);
    if (!read) return ['unknown_form'];
    tried ??= recipes(scheme, secret, header, body).map(({ key, prefix, body: over, mistakes: made }) => ({ digest: hmac(key, prefix, over), made }));
    const found = tried.find(({ digest }) => digest.equals(read.digest));
    return found && [...found.made, ...read.mistakes];
  };
}

/** The 32 bytes of a signature however they are written, and what is wrong with how they are. */
function readSignature(scheme: Scheme, text: string): { digest: Buffer; mistakes: Mistake[] } | undefined {
  const bare = text.replace(/^(v1,|sha256=)/, '');
  const isHex = /^[0-9a-f]{64}$/i.test(bare);
  if (!isHex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(bare)) return undefined;
  const digest = Buffer.from(bare, isHex ? 'hex' : 'base64');
  const spelled = scheme === 'standard' ? `v1,${digest.toString('base64')}` : `sha256=${digest.toString('hex')}`;
  if (text === spelled) return { digest, mistakes: [] };
  if (scheme === 'standard' && isHex) return { digest, mistakes: ['hex_instead_of_base64'] };
  if (scheme === 'raw-body' && !isHex) return { digest, mistakes: ['base64_instead_of_hex'] };
  return { digest, mistakes: ['wrong_spelling'] };
}
