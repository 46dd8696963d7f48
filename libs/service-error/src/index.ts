// The one error class of the services. A service throws it with a code from the closed list; the RPC layer carries
// code and message to the caller; the gateway's filter turns the code into an HTTP status.

/** Each code with the HTTP status the public API answers it with. */
export const errorCodes = {
  invalid_request: 400,
  workspace_required: 400,
  unauthenticated: 401,
  workspace_mismatch: 403,
  insufficient_scope: 403,
  address_not_allowed: 403,
  workspace_suspended: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  idempotency_key_in_use: 409,
  precondition_failed: 412,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  idempotency_key_reused: 422,
  rate_limited: 429,
  headers_too_large: 431,
  internal: 500,
  unavailable: 503,
  deadline_exceeded: 504,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** What is wrong with one field; `pointer` is a JSON Pointer (RFC 6901) into the request body. */
export interface FieldFault {
  pointer: string;
  code: string;
  detail: string;
}

export class ServiceError extends Error {
  override readonly name = 'ServiceError';

  /**
   * @param code decides the HTTP status and whether a message is tried again
   * @param message shown to the caller: says what is wrong and how to mend it, never a secret or a stack
   * @param options.fields faults of single fields, for bad input
   * @param options.cause for the log only
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly options: { fields?: FieldFault[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
  }

  get fields(): FieldFault[] {
    return this.options.fields ?? [];
  }

  /** Whatever was thrown, as a ServiceError; the unexpected becomes `internal` and keeps its cause for the log. */
  static from(thrown: unknown): ServiceError {
    if (thrown instanceof ServiceError) return thrown;
    return new ServiceError('internal', 'Something failed on our side. Try again; if it stays, tell us the request id.', {
      cause: thrown,
    });
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

export function notFound(what: string, id: string): ServiceError {
  const place = what === 'workspace' ? '' : ' in this workspace';
  return new ServiceError('not_found', `There is no ${what} with the id ${id}${place}.`);
}
