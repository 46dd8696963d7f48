// The public HTTP server: Nest on Fastify with the limits, hooks and answers that all routes share. What a request passes
// on its way in is the pipeline's; what the answers say is the controllers'.
import { fastifyCompress } from '@fastify/compress';
import { NotFoundException, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { nestLogger, type Host } from '@na/service-host';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AddressInfo, Socket } from 'node:net';
import { typeid } from 'typeid-js';
import { requireAccess } from '../auth/access.js';
import type { Idempotency } from '../idempotency/idempotency.js';
import { finishAnswers } from './answers.js';
import { admitExpectations, noBareRefusals, refuseBare } from './bare-refusals.js';
import { answerBrokenRequest } from './broken-request.js';
import { Connections } from './connections.js';
import { readJsonOnly } from './json-body.js';
import type { Pipeline } from './pipeline.js';
import { ProblemFilter } from './problem-filter.js';
import { refuseBrokenQuery } from './query-encoding.js';
import { logRequest } from './request-log.js';
import { RouteTable } from './route-table.js';
import { SchemaPipe } from './schema-pipe.js';
import { securityHeaders } from './security-headers.js';
import { limitOptions, refuseManyHeaders, serverLimits, type ServerLimits } from './server-limits.js';
import { UndeclaredInput } from './undeclared-input.js';
import { carryUnrecordedTraces } from './unrecorded-trace.js';

export interface HttpOptions {
  port: number;
  host: string;
  publicUrl: string;
  trustedProxies: string[];
  limits?: Partial<ServerLimits>;
}

interface Settled extends HttpOptions {
  limits: ServerLimits;
}

/** What is done with every request before it comes to its route. */
export interface Conventions {
  pipeline: Pick<Pipeline, 'admit' | 'count'>;
  idempotency: Pick<Idempotency, 'install'>;
}

/** Smaller answers fit one packet as they are. */
const compressFromBytes = 1_024;

/** Listens, and registers the stop, which answers what is in hand first. @returns the port */
export async function serveHttp(module: DynamicModule, conventions: Conventions, options: HttpOptions, host: Host): Promise<number> {
  const settled = { ...options, limits: { ...serverLimits, ...options.limits } };
  const routes = new RouteTable();
  const problems = new ProblemFilter(routes, options.publicUrl, host.logger);
  const connections = new Connections();
  const adapter = new FastifyAdapter(fastifyOptions(settled, problems, connections));
  const fastify = adapter.getInstance();
  fastify.server.maxConnections = settled.limits.connections;
  endOnClose(connections, fastify, settled.limits);
  admitExpectations(fastify.server);
  listRoutes(fastify, routes);
  await addHooks(fastify, conventions, settled);
  fastify.addHook('onResponse', async (request, reply) => logRequest(host.logger, request, reply));
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: nestLogger(host.logger), bodyParser: false, abortOnError: false });
  app.useGlobalGuards(new UndeclaredInput());
  app.useGlobalPipes(new SchemaPipe());
  app.useGlobalFilters(problems);
  await app.listen({ port: options.port, host: options.host });
  host.onStop('public API', () => app.close());
  return (fastify.server.address() as AddressInfo).port;
}

function fastifyOptions({ publicUrl, trustedProxies, limits }: Settled, problems: ProblemFilter, connections: Connections) {
  const headers = securityHeaders(publicUrl);
  const limiting = limitOptions(limits);
  return {
    ...limiting,
    http: { ...limiting.http, ...noBareRefusals },
    genReqId: () => typeid('req').toString(),
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    // While stopping, what still comes in on open connections is answered like any other request, and the connection closed.
    return503OnClosing: false,
    // What the router itself refuses, such as a malformed escape in the path, comes past all hooks and past Nest.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      problems.answer(error, request, reply.headers(headers).header('x-request-id', request.id)),
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => answerBrokenRequest(error, socket, connections.owesAnswer(socket), publicUrl),
  };
}

/** The time of a request, which Node.js gives up enforcing here: within it a stop comes to its end, and the closings after this one run. */
function endOnClose(connections: Connections, fastify: FastifyInstance, { requestTimeoutMs }: ServerLimits): void {
  connections.watch(fastify.server);
  fastify.addHook('preClose', async () => connections.end(fastify.server, requestTimeoutMs));
}

function listRoutes(fastify: FastifyInstance, routes: RouteTable): void {
  fastify.addHook('onRoute', (route) => {
    requireAccess(route);
    routes.add(route);
  });
}

/** In the order in which they run. */
async function addHooks(fastify: FastifyInstance, { pipeline, idempotency }: Conventions, { publicUrl, limits }: Settled): Promise<void> {
  const headers = securityHeaders(publicUrl);
  carryUnrecordedTraces(fastify);
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers(headers).header('x-request-id', request.id);
    refuseManyHeaders(request.raw.rawHeaders, limits);
    refuseBare(request.raw);
  });
  fastify.addHook('onRequest', (request, reply) => admit(pipeline, request, reply));
  fastify.addHook('onRequest', async (request) => refuseBrokenQuery(request));
  readJsonOnly(fastify);
  idempotency.install(fastify);
  finishAnswers(fastify, publicUrl);
  await fastify.register(fastifyCompress, { encodings: ['br', 'gzip'], threshold: compressFromBytes, globalDecompression: false });
}

async function admit(pipeline: Conventions['pipeline'], request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (request.is404) {
    await pipeline.count(request, reply);
    // What Nest would say too, but once it has read the body. The filter tells a wrong method from a wrong address.
    throw new NotFoundException();
  }
  const access = requireAccess(request.routeOptions);
  if (access.kind !== 'public') request.identity = await pipeline.admit(request, reply, access);
}
