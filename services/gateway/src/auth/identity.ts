// Who makes the request in hand, as the pipeline found out; controllers get it with @From and @By.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Caller } from '@na/contracts';
import type { FastifyRequest } from 'fastify';
import type { Principal } from './principal.js';

export interface Identity {
  principal: Principal;
  /** As the services behind the gateway are told. */
  caller: Caller;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Unset while the request is not admitted, and on public routes. */
    identity?: Identity;
  }
}

export const From = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => identityOf(context).caller);
export const By = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => identityOf(context).principal);

function identityOf(context: ExecutionContext): Identity {
  const { identity } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!identity) throw new Error('A public route has no identity to ask for.');
  return identity;
}
