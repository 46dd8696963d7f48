// If-None-Match: whoever has the current version of a thing is not sent it again.
import { ifNoneMatchHolds } from '@na/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** @returns whether the answer is to go without its body; its status then says so */
export function isNotModified(request: FastifyRequest, reply: FastifyReply): boolean {
  const header = request.headers['if-none-match'];
  const etag = reply.getHeader('etag');
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return isRead && reply.statusCode === 200 && header !== undefined && typeof etag === 'string' && !ifNoneMatchHolds(header, etag);
}
