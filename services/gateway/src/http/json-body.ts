// Which bodies are read: JSON, and JSON merge patches with PATCH. Whatever else comes is refused before it is read.
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** SHA-256 of the body as it was sent. Only where an Idempotency-Key came along: what it is for costs time. */
    bodyDigest?: Buffer;
  }
}

export const mergePatchMediaType = 'application/merge-patch+json';

/** Clients that set a content type on everything send no body with DELETE: nothing is then what was sent. */
export function readJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.addHook('onRequest', async (request) => refuseUnreadable(request));
  fastify.removeAllContentTypeParsers();
  void fastify.addContentTypeParser(['application/json', mergePatchMediaType], { parseAs: 'string' }, (request, body, done) => {
    if (request.headers['idempotency-key'] !== undefined) request.bodyDigest = createHash('sha256').update(body).digest();
    if (body.length === 0) done(null, undefined);
    else void parse(request, body as string, done);
  });
}

/** A compressed body could be a thousand times what its length says, and a patch means nothing but with PATCH. */
function refuseUnreadable({ method, headers, is404 }: FastifyRequest): void {
  if (is404) return;
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers;
  if (encoding !== 'identity') {
    throw new Problem('unsupported_media_type', 'Send the body as it is, without Content-Encoding.', { headers: { 'accept-encoding': 'identity' } });
  }
  if (type.startsWith(mergePatchMediaType) && method !== 'PATCH') {
    throw new Problem('unsupported_media_type', `${mergePatchMediaType} is for PATCH only: send application/json.`);
  }
}
