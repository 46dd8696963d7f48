// The operations of the OpenAPI document, as the walk needs them: all that it does with an operation is read off here.
import { controllers } from '../../src/controllers.js';
import { exampleId } from '../../src/openapi/examples.js';
import { describeApi } from '../../src/openapi/document.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a JSON document, walked through by name
export type Json = any;

export const publicUrl = 'https://api.example.com';
export const document = describeApi(controllers, publicUrl) as Json;

export interface DescribedOperation {
  /** `POST /api/v1/keys` */
  name: string;
  method: string;
  path: string;
  access: 'public' | 'operator' | 'key';
  /** The scope it needs, if it needs one. */
  scope?: string;
  needsWorkspace: boolean;
  /** Names of the parameters in the path, with the prefix of the ids that they take. */
  ids: [name: string, prefix: string][];
  query: Parameter[];
  headers: string[];
  body?: { isRequired: boolean; schema: Json; examples: [name: string, body: Json][] };
  /** By status: what the document says of the answers. */
  answers: Record<string, Json>;
  /** Codes of the problems it can answer, by their status. */
  codes: Record<string, string[]>;
}

interface Parameter {
  name: string;
  schema: Json;
  example?: string | number;
}

/** What a reference in the document stands for; anything else is as it is. */
export function resolved(part: Json): Json {
  return part?.$ref ? part.$ref.slice(2).split('/').reduce((inner: Json, name: string) => inner[name.replaceAll('~1', '/')], document) : part;
}

export const operations: DescribedOperation[] = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
  Object.entries<Json>(item).map(([method, operation]) => describe(method.toUpperCase(), path, operation)),
);

function describe(method: string, path: string, operation: Json): DescribedOperation {
  const parameters: Json[] = operation.parameters.map(resolved);
  const placed = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const answers = Object.fromEntries(Object.entries(operation.responses).map(([status, answer]) => [status, resolved(answer)]));
  return {
    name: `${method} ${path}`,
    method,
    path,
    access: accessOf(operation.security),
    scope: operation['x-required-scope'],
    needsWorkspace: placed('header').some(({ name, required }) => name === 'X-Workspace-Id' && required),
    ids: placed('path').map(({ name, schema }) => [name, /^\^([a-z]+)_/.exec(schema.pattern)![1]!]),
    query: placed('query'),
    headers: placed('header').map(({ name }) => name),
    body: operation.requestBody && bodyOf(resolved(operation.requestBody)),
    answers,
    codes: Object.fromEntries(Object.entries(answers).map(([status, { content }]) => [status, Object.keys(content?.['application/problem+json']?.examples ?? {})])),
  };
}

function accessOf(security: Json[]): DescribedOperation['access'] {
  if (security.length === 0) return 'public';
  return security.some((one) => one.apiKey) ? 'key' : 'operator';
}

function bodyOf({ required, content }: Json): DescribedOperation['body'] {
  const { schema, example, examples } = content['application/json'];
  const named = examples ? Object.entries<Json>(examples).map(([name, { value }]) => [name, value] as [string, Json]) : [['example', example] as [string, Json]];
  return { isRequired: required, schema: resolved(schema), examples: named.filter(([, value]) => value !== undefined) };
}

/** The operation that makes things with ids of this prefix: the POST of their collection, or else one that answers with such an id. */
export function makerOf(prefix: string): DescribedOperation {
  const using = operations.find(({ ids }) => ids.at(-1)?.[1] === prefix)!;
  const collection = using.path.slice(0, using.path.lastIndexOf(`/{${using.ids.at(-1)![0]}}`));
  const others = operations.filter(({ method, ids }) => method === 'POST' && !ids.some(([, own]) => own === prefix));
  const maker = others.find(({ path }) => path === collection) ?? others.find(({ answers }) => JSON.stringify(answers).includes(`"${exampleId(prefix)}"`));
  if (!maker) throw new Error(`No operation makes things with ids of the form ${prefix}_….`);
  return maker;
}

/** The one that reads a thing with an id of this prefix. */
export function readerOf(prefix: string): DescribedOperation | undefined {
  return operations.find(({ method, path, ids }) => method === 'GET' && ids.at(-1)?.[1] === prefix && path.endsWith('}'));
}
