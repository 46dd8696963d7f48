// Which problems an operation can answer, by what its route takes and who may call it, and how they are documented. Pure.
import type { JsonObject } from '@na/contracts';
import { errorCodes, type ErrorCode } from '@na/service-error';
import { takesIdempotencyKey } from '../idempotency/idempotency-key.js';
import { problemMediaType, describeCode } from '../http/problem.js';
import { problemTexts } from '../http/problem-texts.js';
import { ref } from './answer.js';
import { headerRefs, type SharedHeader } from './headers.js';
import type { Route } from './routes.js';

/** Those that a wrong method or the reading of HTTP brings, whatever the operation, are told of in the introduction instead. */
export function codesOf(route: Route): ErrorCode[] {
  const { access, body, ids, takesIfMatch, operation } = route;
  const isAuthenticated = access.kind !== 'public';
  const isNarrow = access.kind === 'scope' || access.kind === 'operator';
  const when = (condition: boolean, ...codes: ErrorCode[]) => (condition ? codes : []);
  const codes: ErrorCode[] = [
    'invalid_request',
    ...when(namesWorkspace(route), 'workspace_required'),
    ...when(isAuthenticated, 'unauthenticated', 'address_not_allowed', 'workspace_mismatch', 'workspace_suspended', 'rate_limited', 'unavailable', 'deadline_exceeded'),
    ...when(isNarrow, 'insufficient_scope'),
    ...when(ids.length > 0, 'not_found'),
    ...when(body !== undefined, 'payload_too_large', 'unsupported_media_type'),
    ...when(takesIfMatch, 'precondition_failed'),
    ...when(takesIdempotencyKey(route), 'idempotency_key_in_use', 'idempotency_key_reused'),
    ...(operation.problems ?? []),
    'internal',
  ];
  return [...new Set(codes)];
}

/** Whether the header X-Workspace-Id must come with the request. */
export function namesWorkspace({ access }: Route): boolean {
  return access.kind === 'scope' || (access.kind === 'any_key' && access.workspaceHeader === 'required');
}

export interface Refusals {
  /** By status, as an operation refers to them. */
  responses: JsonObject;
  /** As they stand in components/responses. */
  components: Record<string, JsonObject>;
}

/** Operations that refuse with the same codes under a status share one response, which is named by those. */
export function refusalsOf(route: Route): Refusals {
  const byStatus = Map.groupBy(codesOf(route), (code) => errorCodes[code]);
  const statuses = [...byStatus].sort(([a], [b]) => a - b);
  return {
    responses: Object.fromEntries(statuses.map(([status, codes]) => [String(status), { $ref: `#/components/responses/${nameOf(codes)}` }])),
    components: Object.fromEntries(statuses.map(([, codes]) => [nameOf(codes), refusal(codes)])),
  };
}

function nameOf(codes: ErrorCode[]): string {
  return codes.toSorted().join('-or-');
}

function refusal(codes: ErrorCode[]): JsonObject {
  const description = codes.map((code) => `\`${code}\`: ${problemTexts[code].occurs}`).join('\n\n');
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description,
    headers: headerRefs('RequestId', ...(codes.includes('unauthenticated') ? [] : rateHeaders), ...codes.flatMap((code) => headersOf[code] ?? [])),
    content: { [problemMediaType]: { schema: ref('Problem'), examples } },
  };
}

/** Whose key is not known has no limit to be told of. */
const rateHeaders = ['RateLimit', 'RateLimitPolicy'] as const;

const headersOf: Partial<Record<ErrorCode, SharedHeader[]>> = {
  unauthenticated: ['WWWAuthenticate'],
  insufficient_scope: ['WWWAuthenticate'],
  rate_limited: ['RetryAfter'],
  unavailable: ['RetryAfter'],
  deadline_exceeded: ['RetryAfter'],
  idempotency_key_in_use: ['RetryAfter'],
};

export function problemExamples(codes: Iterable<ErrorCode>, publicUrl: string): Record<string, JsonObject> {
  return Object.fromEntries([...codes].map((code) => [code, { summary: problemTexts[code].title, description: problemTexts[code].remedy, value: problemExample(code, publicUrl) }]));
}

function problemExample(code: ErrorCode, publicUrl: string): JsonObject {
  const problem = { ...describeCode(code, publicUrl), detail: problemTexts[code].occurs, request_id: 'req_01jq8x3v6kf5hs2m9rb4cn7dtx' };
  return code === 'invalid_request' ? { ...problem, errors: [{ pointer: '/name', code: 'required', detail: 'This field is required.' }] } : problem;
}

export const problemSchema: JsonObject = {
  type: 'object',
  description: 'A problem document (RFC 9457): why a request was refused, or failed.',
  properties: {
    type: { type: 'string', format: 'uri', description: 'Address of a page that says what the code means, when it comes and how to mend it.' },
    title: { type: 'string', description: 'The code in words, the same each time.' },
    status: { type: 'integer', minimum: 400, maximum: 599, description: 'The HTTP status.' },
    code: { type: 'string', enum: Object.keys(errorCodes), description: 'For programs: one of a closed list.' },
    detail: { type: 'string', description: 'For people: what was wrong this time.' },
    request_id: { type: 'string', pattern: '^req_[0-9a-z]{26}$', description: 'The same as in the header X-Request-Id.' },
    errors: { type: 'array', items: ref('FieldFault'), description: 'What is wrong with single fields; only for `invalid_request`.' },
  },
  required: ['type', 'title', 'status', 'code', 'detail', 'request_id'],
};

export const fieldFaultSchema: JsonObject = {
  type: 'object',
  description: 'What is wrong with one field.',
  properties: {
    pointer: { type: 'string', description: 'JSON Pointer (RFC 6901) into the body; for the query, `/` and the name of the parameter.' },
    code: { type: 'string', description: 'For programs, such as `required`, `unknown_field`, `too_big`.' },
    detail: { type: 'string', description: 'For people.' },
  },
  required: ['pointer', 'code', 'detail'],
};
