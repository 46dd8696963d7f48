// The one log line of a request, with the decision in it: never its credential, its body or its query.
import type { Logger } from '@na/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';

export function logRequest(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { caller } = request.identity ?? {};
  const line = {
    request_id: request.id,
    method: request.method,
    // The pattern, not the path: it can be counted by, and holds nothing that a client made up.
    route: request.is404 ? null : request.routeOptions.url,
    status: reply.statusCode,
    code: request.problemCode,
    duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    workspace_id: caller?.workspaceId || undefined,
    actor: caller?.actor,
    address: request.ip,
  };
  logger[reply.statusCode >= 500 ? 'warn' : 'info'](line, 'request');
}
