// What each code of the closed list means, when it comes and how to mend it: the titles of problem documents, and what their
// `type` addresses answer.
import type { ErrorCode } from '@na/service-error';

export interface ProblemText {
  title: string;
  /** When it comes. */
  occurs: string;
  /** How to mend it. */
  remedy: string;
}

export const problemTexts: Record<ErrorCode, ProblemText> = {
  invalid_request: {
    title: 'The request is not valid',
    occurs: 'The body, the query or a header is not what the route takes; the members of errors name each field by a JSON Pointer.',
    remedy: 'Mend the fields named in errors. The same request will be refused again.',
  },
  workspace_required: {
    title: 'The workspace is not named',
    occurs: 'The header X-Workspace-Id is missing, or is no id of the form ws_….',
    remedy: 'Send X-Workspace-Id with the workspace that the key belongs to; GET /api/v1/workspaces, which works without it, names it.',
  },
  unauthenticated: {
    title: 'No valid API key',
    occurs: 'There is no key in the request, or one that is malformed, unknown, revoked, expired, disabled or not valid yet. To whoever does not own it, all of these look alike.',
    remedy: 'Send Authorization: Bearer nak_…, with a key that is active. Its owner sees in GET /api/v1/keys what became of it.',
  },
  workspace_mismatch: {
    title: 'The API key belongs to another workspace',
    occurs: 'X-Workspace-Id names a workspace that the key does not belong to.',
    remedy: 'Use a key of that workspace, or name the workspace of the key.',
  },
  insufficient_scope: {
    title: 'The API key may not do this',
    occurs: 'The key lacks the scope that WWW-Authenticate names, or it would make a key that may do more, or live longer, than itself.',
    remedy: 'Use a key with that scope; GET /api/v1/keys/current says what a key may do.',
  },
  address_not_allowed: {
    title: 'The API key may not be used from this address',
    occurs: 'The key has a list of addresses, allowed_ips, and the request comes from none of them.',
    remedy: 'Call from an address of the list, or have the list changed with a key that may.',
  },
  workspace_suspended: {
    title: 'The workspace is suspended',
    occurs: 'The operator of this installation has suspended the workspace; none of its keys is accepted until it is resumed.',
    remedy: 'Ask the operator.',
  },
  not_found: {
    title: 'Not found',
    occurs: 'There is nothing at the address, or nothing with that id in this workspace. Ids of other workspaces look like ids that do not exist.',
    remedy: 'Check the address, its slashes included, the id and the workspace.',
  },
  method_not_allowed: {
    title: 'The method is not allowed here',
    occurs: 'The address exists but does not answer this method. Headers that ask for another method are not heeded.',
    remedy: 'Use one of the methods in the header Allow.',
  },
  request_timeout: {
    title: 'The request did not arrive in time',
    occurs: 'The headers took longer than 10 seconds to arrive, or the whole request longer than 30.',
    remedy: 'Send it again, on a new connection.',
  },
  conflict: {
    title: 'Conflict with what is there',
    occurs: 'What is asked for does not go with the state of things: something is taken, full, or over.',
    remedy: 'Read the detail, and look at the thing before you try again.',
  },
  idempotency_key_in_use: {
    title: 'The first request with this Idempotency-Key is still running',
    occurs: 'A request with the same Idempotency-Key has begun and is not answered yet, or the gateway that had it in hand died less than a minute ago.',
    remedy: 'Wait for as long as Retry-After says and send the same again: it is then answered as the first one was, or carried out.',
  },
  precondition_failed: {
    title: 'What was expected is no longer so',
    occurs: 'If-Match names a version that is not the current one: the thing was changed since it was read. Nothing was done.',
    remedy: 'Read it again, decide anew, and send the new ETag in If-Match.',
  },
  payload_too_large: {
    title: 'The request is too large',
    occurs: 'The body is larger than 1 MiB.',
    remedy: 'Send it in parts.',
  },
  unsupported_media_type: {
    title: 'The media type is not supported',
    occurs: 'The body is not JSON in UTF-8 by its Content-Type, or is compressed.',
    remedy: 'Send application/json, or application/merge-patch+json with PATCH, without Content-Encoding.',
  },
  unprocessable: {
    title: 'The request can not be carried out',
    occurs: 'The request is well formed but can not be done as it is.',
    remedy: 'Read the detail and ask for something else.',
  },
  idempotency_key_reused: {
    title: 'This Idempotency-Key belongs to another request',
    occurs: 'Within the last 24 hours the same Idempotency-Key came with another address or another body. Nothing was done.',
    remedy: 'Use a new Idempotency-Key for each thing to be done, and the same one only to send the same request again.',
  },
  rate_limited: {
    title: 'Too many requests',
    occurs: 'The key has used up its requests of this window, this secret was refused too often from this address, or too many wrong keys or reports of leaked keys came from there.',
    remedy: 'Wait for as long as Retry-After says. RateLimit and RateLimit-Policy tell on every answer what is left.',
  },
  headers_too_large: {
    title: 'The headers are too large',
    occurs: 'The request has more than 100 headers, or its address and headers are larger than 16 KiB.',
    remedy: 'Send fewer and smaller headers; cookies are not needed here.',
  },
  internal: {
    title: 'A fault on our side',
    occurs: 'Something failed that should not have. What it was is in our logs under the request id.',
    remedy: 'Try again with the same Idempotency-Key; if it stays, tell the operator the request id.',
  },
  unavailable: {
    title: 'Not available right now',
    occurs: 'A part of the system can not be reached.',
    remedy: 'Try again after Retry-After, with the same Idempotency-Key.',
  },
  deadline_exceeded: {
    title: 'Not answered in time',
    occurs: 'A part of the system took too long. What was asked for may have been done nevertheless.',
    remedy: 'Look whether it was done, or try again with the same Idempotency-Key.',
  },
};
