// The public HTTP server: Nest on Fastify with the limits, hooks and answers that all routes share.
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { nestLogger, type Host } from '@na/service-host';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AddressInfo, Socket } from 'node:net';
import { typeid } from 'typeid-js';
import { requireAccess } from '../auth/access.js';
import { answerBrokenRequest } from './broken-request.js';
import type { Pipeline } from './pipeline.js';
import { ProblemFilter } from './problem-filter.js';
import { logRequest } from './request-log.js';
import { RouteTable } from './route-table.js';
import { SchemaPipe } from './schema-pipe.js';

export interface HttpOptions {
  port: number;
  host: string;
  publicUrl: string;
  trustedProxies: string[];
}

const maxBodyBytes = 1024 * 1024;

/** A client gets this long for its headers, and for the whole request: neither bounds how long we take to answer. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;

/** Longer than the 60 s after which common load balancers give an idle connection up, so that it is never we who hang up first. */
const keepAliveTimeoutMs = 72_000;

/** Listens, and registers the stop, which answers what is in hand first. @returns the port */
export async function serveHttp(module: DynamicModule, pipeline: Pipeline, options: HttpOptions, host: Host): Promise<number> {
  const routes = new RouteTable();
  const problems = new ProblemFilter(routes, options.publicUrl, host.logger);
  const adapter = new FastifyAdapter(fastifyOptions(options, problems));
  const fastify = adapter.getInstance();
  fastify.addHook('onRoute', (route) => {
    requireAccess(route);
    routes.add(route);
  });
  fastify.addHook('onRequest', async (request, reply) => void reply.headers(commonHeaders(request)));
  fastify.addHook('onRequest', (request) => admit(pipeline, request));
  fastify.addHook('onResponse', async (request, reply) => logRequest(host.logger, request, reply));
  acceptJsonOnly(fastify);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: nestLogger(host.logger), bodyParser: false, abortOnError: false });
  app.useGlobalPipes(new SchemaPipe());
  app.useGlobalFilters(problems);
  await app.listen({ port: options.port, host: options.host });
  host.onStop('public API', () => app.close());
  return (fastify.server.address() as AddressInfo).port;
}

function fastifyOptions({ publicUrl, trustedProxies }: HttpOptions, problems: ProblemFilter) {
  return {
    genReqId: () => typeid('req').toString(),
    bodyLimit: maxBodyBytes,
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: { headersTimeout: headersTimeoutMs },
    // While stopping, what still comes in on open connections is answered like any other request, and the connection closed.
    return503OnClosing: false,
    // What the router itself refuses, such as a malformed escape in the path, comes past all hooks and past Nest.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => problems.answer(error, request, reply.headers(commonHeaders(request))),
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => answerBrokenRequest(error, socket, publicUrl),
  };
}

function commonHeaders({ id }: FastifyRequest): Record<string, string> {
  return { 'x-request-id': id, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
}

/** What is at no known address is answered without asking who wants it. */
async function admit(pipeline: Pipeline, request: FastifyRequest): Promise<void> {
  if (request.is404) return;
  const access = requireAccess(request.routeOptions);
  if (access.kind !== 'public') request.identity = await pipeline.admit(request, access);
}

/** Clients that set a content type on everything send no body with DELETE: nothing is then what was sent. */
function acceptJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  void fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else void parse(request, body as string, done);
  });
}
