// The id for what a request makes: with an Idempotency-Key the same each time the request is carried out, so that a second
// try, after a crash or an answer that never came, meets what the first one made instead of making another.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { typeid } from 'typeid-js';

export const NewId = createParamDecorator((prefix: string, context: ExecutionContext): string => {
  const { claim } = context.switchToHttp().getRequest<FastifyRequest>();
  return (claim ? typeid(prefix, claim.newId) : typeid(prefix)).toString();
});
