import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scopes } from '@na/contracts';
import { typeid } from 'typeid-js';
import { routesOf, type Route } from '../src/openapi/routes.js';
import { controllers } from '../src/controllers.js';
import { GatewayBed, operatorToken, type Answer } from './gateway.bed.js';

/** What a POST may be that changes nothing: a question too long for a query. */
const questions = ['/api/v1/webhooks/signature/explain'];

/** Changes that are anybody's to make. */
const anybodys = ['/api/v1/keys/leaked'];

const routes = routesOf(controllers).map((route) => [`${route.method} ${route.path}`, route] as const);
const isChange = ({ method, path }: Route) => method !== 'GET' && !questions.includes(path);

let gateway: GatewayBed;
beforeAll(async () => void (gateway = await GatewayBed.start()));
afterAll(() => gateway.stop());

/** By whoever may do everything at the route. */
function send({ method, path, access, ids }: Route, query: string, body?: object): Promise<Answer> {
  const credentials = access.kind === 'operator' ? { authorization: `Bearer ${operatorToken}` } : gateway.newKey({ scopes: [...scopes] }).headers;
  const address = ids.reduce((rest, { name, prefix }) => rest.replace(`{${name}}`, typeid(prefix).toString()), path);
  return gateway.send(method, address + query, { ...credentials, ...(body && { 'content-type': 'application/json' }) }, body && JSON.stringify(body));
}

const faults = ({ body }: Answer) => body.errors?.map(({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`) ?? [];

test('no address and method is served twice', () => {
  expect(routes.length).toBeGreaterThan(30);
  expect(new Set(routes.map(([name]) => name)).size).toBe(routes.length);
});

test.each(routes.filter(([, route]) => isChange(route)))('%s changes something only for who may write', (_name, { path, access }) => {
  if (anybodys.includes(path)) expect(access.kind).toBe('public');
  else expect(access.kind === 'operator' || (access.kind === 'scope' && access.scope.endsWith(':write'))).toBe(true);
});

test.each(routes.filter(([, route]) => !isChange(route)))('%s asks no more than reading of who reads', (_name, { access }) => {
  if (access.kind === 'scope') expect(access.scope).toMatch(/:read$/);
});

test.each(routes)('%s takes no query parameter that it does not declare', async (_name, route) => {
  const answer = await send(route, '?unknown_parameter=1');
  expect([answer.status, faults(answer)]).toEqual([400, ['/unknown_parameter unknown_field']]);
});

test.each(routes.filter(([, { method }]) => method !== 'GET'))('%s takes no field that it does not declare', async (_name, route) => {
  const answer = await send(route, '', { unknown_field: 1 });
  expect([answer.status, faults(answer)]).toEqual([400, expect.arrayContaining(['/unknown_field unknown_field'])]);
});
