// The OpenAPI 3.1 document of the public API, put together from what runs: the routes and their schemas, the messages of the
// contracts, the events. Pure; built once, at the start.
import type { Type } from '@nestjs/common';
import type { JsonObject } from '@na/contracts';
import { describeOperation, type DescribedOperation } from './described-operation.js';
import { sharedHeaders, sharedParameters } from './headers.js';
import { introduction } from './introduction.js';
import type { Tag } from './operation.js';
import { codesOf, fieldFaultSchema, problemExamples, problemSchema } from './refusals.js';
import { routesOf, type Route } from './routes.js';
import { securitySchemes } from './security.js';
import { attemptHeaders, eventPayloadSchemas, eventsTag, webhookSection } from './webhook-section.js';

/** @throws Error when a route is not documented, or two things have one name */
export function describeApi(controllers: readonly Type[], publicUrl: string): JsonObject {
  const routes = routesOf(controllers);
  const described = routes.map((route) => ({ route, ...describeOperation(route) }));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Notion Analytics API',
      version: '1.0.0',
      summary: 'Analytics of published Notion pages, and signed webhooks.',
      description: introduction(publicUrl),
      contact: { name: 'The operator of this installation', url: publicUrl },
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: publicUrl, description: 'This installation.' }],
    security: [{ apiKey: [] }],
    tags: tagsOf(routes) as unknown as JsonObject[],
    paths: pathsOf(described),
    webhooks: webhookSection(),
    components: componentsOf(routes, described, publicUrl),
  };
}

function tagsOf(routes: Route[]): Tag[] {
  return [...new Set(routes.map(({ tag }) => tag)), eventsTag];
}

function pathsOf(described: { route: Route; operation: JsonObject }[]): JsonObject {
  const byPath = Map.groupBy(described, ({ route }) => route.path);
  const paths = [...byPath].map(([path, all]) => [path, Object.fromEntries(all.map(({ route, operation }) => [route.method.toLowerCase(), operation]))]);
  return Object.fromEntries(paths) as JsonObject;
}

function componentsOf(routes: Route[], described: DescribedOperation[], publicUrl: string): JsonObject {
  return {
    securitySchemes,
    parameters: { ...usedParameters(described), ...attemptHeaders },
    headers: sharedHeaders,
    examples: problemExamples(new Set(routes.flatMap(codesOf)), publicUrl),
    responses: union(described.map(({ responses }) => responses)),
    schemas: union([{ Problem: problemSchema, FieldFault: fieldFaultSchema }, ...described.map(({ schemas }) => schemas), eventPayloadSchemas()]),
  };
}

function usedParameters(described: DescribedOperation[]): JsonObject {
  const used = JSON.stringify(described.map(({ operation }) => operation.parameters));
  return Object.fromEntries(Object.entries(sharedParameters).filter(([name]) => used.includes(`#/components/parameters/${name}"`)));
}

function union(parts: Record<string, JsonObject>[]): Record<string, JsonObject> {
  const all: Record<string, JsonObject> = {};
  for (const [name, component] of parts.flatMap((part) => Object.entries(part))) {
    if (all[name] && JSON.stringify(all[name]) !== JSON.stringify(component)) throw new Error(`The reference has two different things of the name ${name}.`);
    all[name] = component;
  }
  return all;
}
