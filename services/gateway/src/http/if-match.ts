// The If-Match of a request, for the service that holds the thing: it alone can compare and change in one step.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Undefined when the change is to be made whatever the thing is like now. */
export const IfMatch = createParamDecorator(readIfMatch);

/** By its name the reference knows which routes heed the header. */
export function readIfMatch(_data: unknown, context: ExecutionContext): string | undefined {
  return context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
}
