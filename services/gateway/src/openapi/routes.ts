// The routes as Nest knows them, read off the controllers: address, access, status, and the schemas that validate.
import { RequestMethod, type PipeTransform, type Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { z } from 'zod';
import { requireAccess, type Access } from '../auth/access.js';
import { readIfMatch } from '../http/if-match.js';
import { IdPipe } from '../http/schema-pipe.js';
import { referenceOf, type Operation, type Tag } from './operation.js';

export interface Route {
  method: string;
  /** With `{name}` for a parameter. */
  path: string;
  access: Access;
  status: number;
  ids: PathId[];
  body?: z.ZodType;
  query?: z.ZodObject;
  takesIfMatch: boolean;
  operation: Operation;
  tag: Tag;
}

/** A parameter in the path that is the id of something. */
export interface PathId {
  name: string;
  prefix: string;
  what: string;
}

/** Everything under it is documented; what is not is pages for people. */
const apiPath = '/api/v1/';

/** @throws Error for a route of the API that is not documented */
export function routesOf(controllers: readonly Type[]): Route[] {
  return controllers.flatMap((controller) => handlersOf(controller).flatMap((name) => routeOf(controller, name) ?? []));
}

function handlersOf(controller: Type): string[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).filter((name) => Reflect.hasMetadata(METHOD_METADATA, prototype[name]!));
}

function routeOf(controller: Type, name: string): Route | undefined {
  const handler = (controller.prototype as Record<string, object>)[name]!;
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
  const path = pathOf(controller, handler);
  const reference = referenceOf(controller);
  const operation = reference?.operations[name];
  if (!reference || !operation) {
    if (`${path}/`.startsWith(apiPath)) throw new Error(`${method} ${path} is not in the reference: give ${controller.name} @Documented with an entry ${name}.`);
    return undefined;
  }
  const config = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as object | undefined;
  return {
    method,
    path,
    access: requireAccess({ method, url: path, config }),
    status: (Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined) ?? (method === 'POST' ? 201 : 200),
    ...inputsOf(controller, name),
    operation,
    tag: reference.tag,
  };
}

function pathOf(controller: Type, handler: object): string {
  const parts = [Reflect.getMetadata(PATH_METADATA, controller), Reflect.getMetadata(PATH_METADATA, handler)] as string[];
  const segments = parts.flatMap((part) => part.split('/')).filter(Boolean);
  return `/${segments.map((segment) => segment.replace(/^:(.*)/, '{$1}')).join('/')}`;
}

/** As Nest's parameter decorators leave it. */
interface Argument {
  data?: unknown;
  pipes?: (PipeTransform | Type)[];
  schema?: z.ZodType;
  factory?: unknown;
}

function inputsOf(controller: Type, name: string): Pick<Route, 'ids' | 'body' | 'query' | 'takesIfMatch'> {
  const declared = Object.entries((Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<string, Argument>);
  const all = (kind: RouteParamtypes) => declared.filter(([key]) => key.startsWith(`${kind}:`)).map(([, argument]) => argument);
  return {
    ids: all(RouteParamtypes.PARAM).map(pathIdOf).reverse(),
    body: all(RouteParamtypes.BODY)[0]?.schema,
    query: all(RouteParamtypes.QUERY)[0]?.schema as z.ZodObject | undefined,
    takesIfMatch: declared.some(([, { factory }]) => factory === readIfMatch),
  };
}

function pathIdOf({ data, pipes }: Argument): PathId {
  const pipe = pipes?.find((one) => one instanceof IdPipe);
  if (!pipe) throw new Error(`The path parameter ${String(data)} is not judged by an idPipe.`);
  return { name: String(data), prefix: pipe.prefix, what: pipe.what };
}
