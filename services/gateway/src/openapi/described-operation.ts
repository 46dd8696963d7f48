// One operation as the document shows it, with the components it brings along. Pure.
import type { JsonObject } from '@na/contracts';
import { typeIdSuffix } from '../auth/type-id.js';
import { mergePatchMediaType } from '../http/json-body.js';
import { takesIdempotencyKey } from '../idempotency/idempotency-key.js';
import { ref, type Answer } from './answer.js';
import { describeFields } from './descriptions.js';
import { exampleId } from './examples.js';
import { headerRefs, type SharedHeader, type SharedParameter } from './headers.js';
import { namesWorkspace, refusalsOf } from './refusals.js';
import type { Route } from './routes.js';
import { describeAccess } from './security.js';
import { zodJsonSchema } from './zod-json-schema.js';

export interface DescribedOperation {
  operation: JsonObject;
  schemas: Record<string, JsonObject>;
  responses: Record<string, JsonObject>;
}

export function describeOperation(route: Route): DescribedOperation {
  const { operation, access, status } = route;
  const schemas = schemasOf(operation.answer);
  const like = flattened(operation.answer, schemas);
  const request = requestOf(route, like);
  const refusals = refusalsOf(route);
  const { sentence, ...described } = describeAccess(access);
  return {
    operation: {
      operationId: operation.id,
      tags: [route.tag.name],
      summary: operation.summary,
      description: [operation.description, sentence].filter(Boolean).join('\n\n'),
      ...(described as unknown as JsonObject),
      parameters: parametersOf(route),
      ...request.body,
      responses: { [status]: answerOf(route), ...(takesIfNoneMatch(route) && { '304': notModified }), ...refusals.responses },
    },
    schemas: { ...schemas, ...request.schemas },
    responses: refusals.components,
  };
}

function requestOf({ method, body, operation }: Route, like: JsonObject): { body?: JsonObject; schemas?: Record<string, JsonObject> } {
  if (!body) return {};
  const name = `${operation.id.replace(/^./, (letter) => letter.toUpperCase())}Request`;
  const json: JsonObject = { schema: ref(name), ...(operation.body && { example: operation.body }), ...(operation.bodies && { examples: named(operation.bodies) }) };
  return {
    body: { requestBody: { required: !body.safeParse(undefined).success, content: Object.fromEntries(mediaTypes(method).map((type) => [type, json])) } },
    schemas: { [name]: describeFields(zodJsonSchema(body, 'input'), like) },
  };
}

function mediaTypes(method: string): string[] {
  return method === 'PATCH' ? [mergePatchMediaType, 'application/json'] : ['application/json'];
}

function named(examples: Record<string, JsonObject>): JsonObject {
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}

function parametersOf(route: Route): JsonObject[] {
  const { ids, query, operation, access } = route;
  const shared = (isTaken: boolean, name: SharedParameter) => (isTaken ? [{ $ref: `#/components/parameters/${name}` }] : []);
  return [
    ...ids.map(({ name, prefix, what }) => ({
      name,
      in: 'path',
      required: true,
      description: `The id of the ${what}.`,
      schema: { type: 'string', pattern: `^${prefix}_${typeIdSuffix}$` },
      example: exampleId(prefix),
    })),
    ...(query ? queryParameters(zodJsonSchema(query, 'input'), operation.query ?? {}) : []),
    ...shared(namesWorkspace(route), 'WorkspaceId'),
    ...shared(access.kind !== 'public' && !namesWorkspace(route), 'WorkspaceIdOptional'),
    ...shared(takesIdempotencyKey(route), 'IdempotencyKey'),
    ...shared(route.takesIfMatch, 'IfMatch'),
    ...shared(takesIfNoneMatch(route), 'IfNoneMatch'),
  ];
}

function queryParameters(schema: JsonObject, examples: Record<string, string | number>): JsonObject[] {
  const { properties, required = [] } = describeFields(schema) as { properties: Record<string, JsonObject>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...field }]) => ({
    name,
    in: 'query',
    ...(required.includes(name) && { required: true }),
    ...(description !== undefined && { description }),
    schema: field,
    ...(examples[name] !== undefined && { example: examples[name] }),
  }));
}

function takesIfNoneMatch({ method, operation }: Route): boolean {
  return method === 'GET' && operation.answer.isResource;
}

const notModified: JsonObject = { description: 'What you have is current.', headers: headerRefs('RequestId', 'ETag') };

function answerOf(route: Route): JsonObject {
  const { operation: { answer, hasLocation }, access, method, status } = route;
  const isAuthenticated = access.kind !== 'public';
  const headers: SharedHeader[] = [
    'RequestId',
    ...(isAuthenticated ? (['RateLimit', 'RateLimitPolicy'] as const) : []),
    ...(answer.isResource ? (['ETag'] as const) : []),
    ...(hasLocation || (method === 'POST' && answer.isResource && status !== 200) ? (['Location'] as const) : []),
    ...(takesIdempotencyKey(route) ? (['IdempotencyReplayed'] as const) : []),
  ];
  const json: JsonObject = { schema: ref(answer.name), ...(answer.example && { example: answer.example }) };
  return { description: answer.description, headers: headerRefs(...headers), ...(answer.name !== '' && { content: { 'application/json': json } }) };
}

/** The schema of an answer and of all that it refers to, by their names. */
function schemasOf({ name, schema, parts }: Answer): Record<string, JsonObject> {
  const inner = Object.assign({}, ...parts.map(schemasOf)) as Record<string, JsonObject>;
  return name === '' ? inner : { ...inner, [name]: describeFields(schema) };
}

/** With what it refers to in place: fields of requests are described like those of the same name and place. */
function flattened({ name }: Answer, schemas: Record<string, JsonObject>): JsonObject {
  const resolve = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(resolve);
    if (typeof part !== 'object' || part === null) return part;
    const { $ref, ...rest } = part as { $ref?: string };
    const inPlace = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, resolve(value)]));
    return $ref ? { ...(resolve(schemas[$ref.split('/').at(-1)!]) as object), ...inPlace } : inPlace;
  };
  return resolve(schemas[name] ?? {}) as JsonObject;
}
