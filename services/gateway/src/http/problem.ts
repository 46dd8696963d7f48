// Problem documents (RFC 9457): how every refusal and failure is told to the client.
import { errorCodes, ServiceError, type ErrorCode, type FieldFault } from '@na/service-error';
import { problemTexts } from './problem-texts.js';

interface ProblemOptions {
  fields?: FieldFault[];
  headers?: Record<string, string>;
  /** Members of the document besides the standard ones. */
  members?: Record<string, unknown>;
}

/** A ServiceError that has more to say over HTTP. */
export class Problem extends ServiceError {
  readonly headers: Record<string, string>;
  readonly members: Record<string, unknown>;

  constructor(code: ErrorCode, detail: string, { fields, headers = {}, members = {} }: ProblemOptions = {}) {
    super(code, detail, { fields });
    this.headers = headers;
    this.members = members;
  }
}

export const problemMediaType = 'application/problem+json';

/** How long a client should wait before it tries again, in seconds. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = { unavailable: 2, deadline_exceeded: 2, idempotency_key_in_use: 1 };

/** RFC 6750: what every 401 and every refusal for scope says, whichever service it comes from. */
const challenges: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'Bearer realm="api", error="invalid_token"',
  insufficient_scope: 'Bearer realm="api", error="insufficient_scope"',
};

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

export function problemAnswer(error: ServiceError, requestId: string, publicUrl: string): ProblemAnswer {
  const { headers, members } = error instanceof Problem ? error : { headers: {}, members: {} };
  const retryAfter = retryAfterSeconds[error.code];
  const challenge = challenges[error.code];
  return {
    status: errorCodes[error.code],
    headers: { ...(retryAfter && { 'retry-after': String(retryAfter) }), ...(challenge && { 'www-authenticate': challenge }), ...headers },
    body: {
      ...describeCode(error.code, publicUrl),
      detail: error.message,
      request_id: requestId,
      ...(error.fields.length > 0 && { errors: error.fields.map(({ pointer, code, detail }) => ({ pointer, code, detail })) }),
      ...members,
    },
  };
}

/** What is the same in all problems of a code. */
export function describeCode(code: ErrorCode, publicUrl: string) {
  return { type: `${publicUrl}/problems/${code}`, title: problemTexts[code].title, status: errorCodes[code], code };
}
