// Makes a ServiceError of whatever ended a request: our own refusals, Fastify's, Nest's, and what nobody expected. Pure.
import { HttpException } from '@nestjs/common';
import { ServiceError, type ErrorCode } from '@na/service-error';

const codeOfStatus: Record<number, [ErrorCode, string]> = {
  404: ['not_found', 'There is nothing at this address.'],
  408: ['request_timeout', 'The request did not arrive in time.'],
  413: ['payload_too_large', 'The body is larger than 1 MiB.'],
  // Fastify's answer to a path parameter that is longer than any id.
  414: ['not_found', 'There is nothing at this address.'],
  415: ['unsupported_media_type', 'Send the body as application/json, or application/merge-patch+json with PATCH.'],
};

export function serviceErrorOf(thrown: unknown): ServiceError {
  const status = statusOf(thrown);
  if (thrown instanceof ServiceError || status === undefined || status >= 500) return ServiceError.from(thrown);
  const [code, detail] = codeOfStatus[status] ?? ['invalid_request', (thrown as Error).message];
  return new ServiceError(code, detail, { cause: thrown });
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const { statusCode } = (thrown ?? {}) as { statusCode?: unknown };
  return thrown instanceof Error && typeof statusCode === 'number' && statusCode >= 400 ? statusCode : undefined;
}
