// Refuses what a route does not declare: query parameters where it has no @Query, a body where it has no @Body. What it does
// declare is for its schema. Without this a mistyped filter, or a body sent to the wrong route, would go unnoticed.
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ServiceError } from '@na/service-error';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { fieldFaults } from './field-faults.js';
import { inPlainWords } from './plain-words.js';

const nothing = z.strictObject({});

interface Declared {
  query: boolean;
  body: boolean;
}

export class UndeclaredInput implements CanActivate {
  private readonly declared = new WeakMap<object, Declared>();

  canActivate(context: ExecutionContext): boolean {
    const { query, body } = context.switchToHttp().getRequest<FastifyRequest>();
    const declared = this.declarationOf(context);
    if (!declared.query) refuseAny(query, 'This address takes no such query parameters.');
    if (!declared.body && body !== undefined) refuseAny(body, 'This address takes no body.');
    return true;
  }

  private declarationOf(context: ExecutionContext): Declared {
    const handler = context.getHandler();
    const declared = this.declared.get(handler) ?? readDeclaration(context.getClass(), handler.name);
    this.declared.set(handler, declared);
    return declared;
  }
}

/** Nest keeps what a method declares under names such as `3:0`: the kind, and the place among the arguments. */
function readDeclaration(controller: object, method: string): Declared {
  const names = Object.keys((Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) as object | undefined) ?? {});
  const has = (kind: RouteParamtypes) => names.some((name) => name.startsWith(`${kind}:`));
  return { query: has(RouteParamtypes.QUERY), body: has(RouteParamtypes.BODY) };
}

function refuseAny(input: unknown, detail: string): void {
  const result = nothing.safeParse(input, inPlainWords);
  if (!result.success) throw new ServiceError('invalid_request', detail, { fields: fieldFaults(result.error.issues, input) });
}
