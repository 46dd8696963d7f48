// What a request claims about itself, read from its headers before anything is computed: its signatures, and how the
// right one would be made.
import { refuse, type Refusal } from './refusal.js';
import type { HeaderLookup } from './request.js';
import { headerNames, rawBodySignature, standardPrefix, standardSignature } from './schemes.js';

export interface Claim {
  ok: true;
  /** Well-formed signatures, in the order of the headers. */
  signatures: string[];
  /** When it was signed, in Unix seconds; absent where that is not part of what is signed. */
  seconds?: number;
  expected: (secret: string, body: Uint8Array) => string;
}

const standardForm = /^v1,[A-Za-z0-9+/]{43}=$/;
const rawBodyForm = /^sha256=[0-9a-f]{64}$/;

/** Signatures of other versions are skipped, as the standard asks: a sender may add one that this library does not know. */
export function readStandard(header: HeaderLookup): Claim | Refusal {
  const [id, timestamp, signature] = [header(headerNames.id), header(headerNames.timestamp), header(headerNames.standard)];
  if (!signature) return missingStandard(header);
  if (!id) return missing('missing_id', headerNames.id);
  if (!timestamp) return missing('missing_timestamp', headerNames.timestamp);
  if (!/^\d{1,12}$/.test(timestamp)) return refuse('malformed_timestamp', `webhook-timestamp is not Unix time in whole seconds. ${secondsHint(timestamp)}`);
  const signatures = signature.split(/\s+/).filter((candidate) => standardForm.test(candidate));
  if (signatures.length === 0) {
    return refuse('malformed_signature', 'webhook-signature holds no signature of the form v1,<base64 of 32 bytes>. Something on the way changed it.');
  }
  const prefix = standardPrefix(id, timestamp);
  return { ok: true, signatures, seconds: Number(timestamp), expected: (secret, body) => standardSignature(secret, prefix, body) };
}

export function readRawBody(header: HeaderLookup): Claim | Refusal {
  const given = [header(headerNames.rawBody), ...(header(headerNames.rawBodyPrevious) ?? '').split(/\s+/)].filter(Boolean) as string[];
  if (given.length === 0) return missing('missing_signature', headerNames.rawBody);
  const signatures = given.filter((value) => rawBodyForm.test(value));
  if (signatures.length === 0) {
    return refuse('malformed_signature', 'X-Webhook-Signature is not of the form sha256=<64 hexadecimal digits>. Something on the way changed it.');
  }
  return { ok: true, signatures, expected: rawBodySignature };
}

function missingStandard(header: HeaderLookup): Refusal {
  if (header(headerNames.rawBody) === undefined) return missing('missing_signature', headerNames.standard);
  return refuse(
    'missing_signature',
    'The webhook-signature header is missing although X-Webhook-Signature is there, and they are sent together. Let the webhook-* headers ' +
      "through your proxy, or verify with scheme: 'raw-body', which can not tell a repeated request from a fresh one.",
  );
}

function missing(reason: 'missing_id' | 'missing_timestamp' | 'missing_signature', name: string): Refusal {
  return refuse(reason, `The ${name} header is missing. Either the request is not ours, or a proxy or framework dropped the header.`);
}

function secondsHint(timestamp: string): string {
  return /^\d{13}$/.test(timestamp) ? 'It looks like milliseconds.' : 'Something on the way changed it.';
}
