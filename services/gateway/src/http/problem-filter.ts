// Turns whatever ended a request into a problem document. The only place that answers with one.
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { ServiceError } from '@na/service-error';
import { redact, type Logger } from '@na/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem, problemAnswer, problemMediaType } from './problem.js';
import type { RouteTable } from './route-table.js';
import { pathOf } from './target.js';
import { serviceErrorOf } from './thrown.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The code the request was refused with, for its log line. */
    problemCode?: string;
  }
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly routes: RouteTable,
    private readonly publicUrl: string,
    private readonly logger: Logger,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Also for what comes past Nest. */
  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = this.methodNotAllowed(thrown, request) ?? serviceErrorOf(thrown);
    // Clients are never shown what this says.
    if (error.code === 'internal') this.logger.error({ err: error.cause ?? error, request_id: request.id }, 'a request failed');
    request.problemCode = error.code;
    const { status, headers, body } = problemAnswer(error, request.id, this.publicUrl);
    // It names what was asked for, which a client may have taken for the place of its key, and is kept in clients' logs.
    void reply.code(status).headers(headers).type(problemMediaType).send(redact(JSON.stringify(body)));
  }

  /** Takes the place of whatever Fastify says of such a request, but not of what we have refused it for before. */
  private methodNotAllowed(thrown: unknown, request: FastifyRequest): ServiceError | undefined {
    if (!request.is404 || thrown instanceof ServiceError) return undefined;
    const allowed = this.routes.methodsAt(pathOf(request));
    if (allowed.length === 0 || allowed.includes(request.method)) return undefined;
    return new Problem('method_not_allowed', `This address answers ${allowed.join(', ')}.`, { headers: { allow: allowed.join(', ') } });
  }
}
