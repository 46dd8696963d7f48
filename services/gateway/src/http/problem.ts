// Problem documents (RFC 9457): how every refusal and failure is told to the client.
import { errorCodes, ServiceError, type ErrorCode, type FieldFault } from '@na/service-error';

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

const titles: Record<ErrorCode, string> = {
  invalid_request: 'The request is not valid',
  workspace_required: 'The workspace is not named',
  unauthenticated: 'No valid API key',
  workspace_mismatch: 'The API key belongs to another workspace',
  insufficient_scope: 'The API key may not do this',
  workspace_suspended: 'The workspace is suspended',
  not_found: 'Not found',
  method_not_allowed: 'The method is not allowed here',
  conflict: 'Conflict with what is there',
  precondition_failed: 'What was expected is no longer so',
  payload_too_large: 'The request is too large',
  unsupported_media_type: 'The media type is not supported',
  unprocessable: 'The request can not be carried out',
  rate_limited: 'Too many requests',
  internal: 'A fault on our side',
  unavailable: 'Not available right now',
  deadline_exceeded: 'Not answered in time',
};

/** How long a client should wait before it tries again, in seconds. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = { unavailable: 2, deadline_exceeded: 2 };

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

export function problemAnswer(error: ServiceError, requestId: string, publicUrl: string): ProblemAnswer {
  const { headers, members } = error instanceof Problem ? error : { headers: {}, members: {} };
  const retryAfter = retryAfterSeconds[error.code];
  return {
    status: errorCodes[error.code],
    headers: { ...(retryAfter && { 'retry-after': String(retryAfter) }), ...headers },
    body: {
      ...describeCode(error.code, publicUrl),
      detail: error.message,
      request_id: requestId,
      ...(error.fields.length > 0 && { errors: error.fields.map(({ pointer, code, detail }) => ({ pointer, code, detail })) }),
      ...members,
    },
  };
}

/** What is the same in all problems of a code; also what its `type` address answers. */
export function describeCode(code: ErrorCode, publicUrl: string) {
  return { type: `${publicUrl}/problems/${code}`, title: titles[code], status: errorCodes[code], code };
}
