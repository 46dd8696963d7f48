// The refusals that say, in WWW-Authenticate (RFC 6750), how to come back: without a key, with a bad one, with a narrow one.
import { Problem } from '../http/problem.js';

export function credentialRequired(): Problem {
  return refusal('unauthenticated', 'This needs an API key: send the header Authorization: Bearer nak_….');
}

/** Told to the client in one way, whatever is wrong with the key. */
export class InvalidToken extends Problem {
  /** @param wasRight the secret was one of the key's, which is over or does not count now: nobody has guessed it */
  constructor(readonly wasRight = false) {
    super('unauthenticated', 'The API key is not valid.', challenged('error="invalid_token"'));
  }
}

export function insufficientScope(scope: string): Problem {
  return refusal('insufficient_scope', `The API key lacks the scope ${scope}.`, `error="insufficient_scope", scope="${scope}"`);
}

/** No key can have what this needs: there is no scope to name. */
export function operatorOnly(): Problem {
  return refusal('insufficient_scope', 'Only the operator of this installation may do this.', 'error="insufficient_scope"');
}

/** The key is good, so that there is nothing to challenge. */
export function addressNotAllowed(address: string): Problem {
  return new Problem('address_not_allowed', `The API key may not be used from ${address}.`);
}

function refusal(code: 'unauthenticated' | 'insufficient_scope', detail: string, ...parameters: string[]): Problem {
  return new Problem(code, detail, challenged(...parameters));
}

function challenged(...parameters: string[]) {
  return { headers: { 'www-authenticate': ['Bearer realm="api"', ...parameters].join(', ') } };
}
