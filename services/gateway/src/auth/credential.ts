// Finds the credential of a request. Pure: it looks at headers and query only, and asks nobody.
import { credentialPrefix, parseKey, type KeyMaterial } from './key-material.js';

export type Credential =
  | { kind: 'none' }
  /** More than one, or one where none is allowed: the request must not be guessed at. */
  | { kind: 'ambiguous'; detail: string }
  /** Meant as an API key, but can not be one. */
  | { kind: 'malformed' }
  | { kind: 'key'; material: KeyMaterial }
  /** A bearer token of another form; the operator's, perhaps. */
  | { kind: 'token'; token: string };

const queryNames = ['api_key', 'access_token'];
const bearer = /^bearer[ \t]+([^ \t].*)$/i;

/** @param rawHeaders names and values by turns, as Node.js got them: its parsed headers hide a second Authorization */
export function readCredential(rawHeaders: readonly string[], query: object): Credential {
  const inQuery = queryNames.find((name) => Object.hasOwn(query, name));
  if (inQuery) return { kind: 'ambiguous', detail: `Keys do not belong in the query, where logs keep them: send Authorization instead of "${inQuery}".` };
  if (valuesOf(rawHeaders, 'cookie').some(hasKey)) {
    return { kind: 'ambiguous', detail: 'Keys do not belong in a cookie, which browsers send unasked: send Authorization, and no cookie with a key.' };
  }
  const authorizations = valuesOf(rawHeaders, 'authorization');
  const credentials = authorizations.length + valuesOf(rawHeaders, 'x-api-key').length;
  if (authorizations.length > 0 && credentials > 1) {
    return { kind: 'ambiguous', detail: 'The request has more than one credential: send one Authorization header and nothing else.' };
  }
  return readBearer(authorizations[0] ?? '');
}

function readBearer(authorization: string): Credential {
  const token = bearer.exec(authorization.trim())?.[1];
  if (token === undefined) return { kind: 'none' };
  if (!token.startsWith(credentialPrefix)) return { kind: 'token', token };
  const material = parseKey(token);
  return material ? { kind: 'key', material } : { kind: 'malformed' };
}

/** Only what is a key beyond doubt, by its checksum: other cookies are none of our business. */
function hasKey(cookies: string): boolean {
  return cookies.includes(credentialPrefix) && cookies.split(/[^0-9A-Za-z_]/).some((part) => parseKey(part) !== null);
}

function valuesOf(rawHeaders: readonly string[], wanted: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === wanted);
}
