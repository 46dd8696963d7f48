// Idempotency-Key on every POST of a known caller that may change something: the first request is carried out and its answer
// kept, a repeat is answered with that. It stands between the reading of the body and the routes, which know of it
// what new-id.ts tells them.
import { ServiceError, type ErrorCode } from '@na/service-error';
import type { Logger } from '@na/service-host';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { requireAccess } from '../auth/access.js';
import { isSecretAnswer } from '../http/secret-answer.js';
import { targetOf } from '../http/target.js';
import { fingerprintOf, readIdempotencyKey, takesIdempotencyKey } from './idempotency-key.js';
import type { Claim, IdempotencyRecords, KeptAnswer } from './idempotency-records.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** While the request is the one that is carried out for its Idempotency-Key. */
    claim?: Claim;
  }
}

/** The operator's requests that are about no workspace share this one. */
const noWorkspace = 'operator';

const keptHeaders = ['content-type', 'location', 'etag'];

/**
 * The answer to a thousand good hits, each with the longest id of its own, has 140 KB, and the short one to as many bad hits
 * 182 KB. This is what a request can have stored for a day, in the database that counts for the rate limits too.
 */
const maxKeptBytes = 192 * 1024;

/** After these nobody knows what was done; after all others that a request is refused with, this try did nothing. */
const uncertain: ErrorCode[] = ['internal', 'unavailable', 'deadline_exceeded'];

export class Idempotency {
  constructor(
    private readonly records: IdempotencyRecords,
    private readonly logger: Logger,
  ) {}

  /** Hooks for answers must be added before what compresses them. */
  install(fastify: FastifyInstance): void {
    fastify.addHook('preHandler', (request, reply) => this.begin(request, reply));
    fastify.addHook('onSend', (request, reply, payload) => this.end(request, reply, payload));
  }

  private async begin(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const header = request.headers['idempotency-key'];
    if (header === undefined || !request.identity || !takesIdempotencyKey({ method: request.method, access: requireAccess(request.routeOptions) })) return;
    const key = readIdempotencyKey(String(header));
    const workspaceId = request.identity.caller.workspaceId || noWorkspace;
    const claimed = await this.records.claim(workspaceId, key, fingerprintOf(request.method, targetOf(request), request.bodyDigest)).catch(asOutage);
    switch (claimed.kind) {
      case 'claimed':
        request.claim = claimed.claim;
        return;
      case 'running':
        throw new ServiceError('idempotency_key_in_use', 'The first request with this Idempotency-Key is not answered yet.');
      case 'another_request':
        throw new ServiceError('idempotency_key_reused', 'This Idempotency-Key was used for another address or another body. Use a new one.');
      case 'answered':
        return replay(reply, claimed.answer);
    }
  }

  /** The answer waits for this: what it says must be known to the next repeat. What went wrong here takes nothing from it. */
  private async end(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const { claim } = request;
    if (claim) {
      request.claim = undefined;
      const asLogged = (error: unknown) => this.logger.warn({ err: error, request_id: request.id }, 'an answer could not be kept');
      await this.settle(claim, request, reply, payload).catch(asLogged);
    }
    return payload;
  }

  private settle(claim: Claim, request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void> {
    if (reply.statusCode < 300) return this.records.keep(claim, answerOf(reply, bodyOf(claim, request, payload)));
    const isUncertain = uncertain.some((code) => code === request.problemCode);
    return isUncertain || claim.isRepeat ? this.records.release(claim) : this.records.forget(claim);
  }
}

function answerOf(reply: FastifyReply, body: string | null): KeptAnswer {
  const headers = keptHeaders.flatMap((name) => (reply.hasHeader(name) ? [[name, String(reply.getHeader(name))]] : []));
  return { status: reply.statusCode, headers: Object.fromEntries(headers) as Record<string, string>, body };
}

/** @returns null for what is too large, also when it is told in short */
function bodyOf({ inShort }: Claim, request: FastifyRequest, payload: unknown): string | null {
  if (payload === null || payload === undefined) return '';
  if (typeof payload !== 'string') return null;
  if (Buffer.byteLength(payload) > maxKeptBytes) {
    const short = inShort && JSON.stringify(inShort());
    return short !== undefined && Buffer.byteLength(short) <= maxKeptBytes ? short : null;
  }
  return isSecretAnswer(request) ? JSON.stringify({ ...(JSON.parse(payload) as object), secret: null }) : payload;
}

function replay(reply: FastifyReply, { status, headers, body }: KeptAnswer): FastifyReply {
  if (body === null) {
    throw new ServiceError('conflict', 'The request with this Idempotency-Key was carried out; its answer was too large to be kept for a repeat.');
  }
  return reply.code(status).headers(headers).header('idempotency-replayed', 'true').send(body);
}

/** Carried out all the same, the request would be done again by its repeat. */
function asOutage(error: unknown): never {
  throw new ServiceError('unavailable', 'Requests with an Idempotency-Key can not be taken right now. Try again.', { cause: error });
}
