// The last steps of an answer: a resource becomes JSON with its ETag and Location, a secret is noted, and who already has
// the thing is told so instead of being sent it.
import type { FastifyInstance } from 'fastify';
import { isNotModified } from './conditional.js';
import { renderResource, Resource } from './resource.js';
import { noteSecret } from './secret-answer.js';

export function finishAnswers(fastify: FastifyInstance, publicUrl: string): void {
  const basePath = new URL(publicUrl).pathname.replace(/\/$/, '');
  fastify.addHook('preSerialization', async (request, reply, payload) => {
    const answer = payload instanceof Resource ? renderResource(payload, request, reply, basePath) : payload;
    noteSecret(request, answer as object);
    return answer;
  });
  fastify.addHook('onSend', async (request, reply, payload) => {
    if (!isNotModified(request, reply)) return payload;
    void reply.code(304).removeHeader('content-type').removeHeader('content-length');
    // Fastify's own hook of HEAD can't do with null.
    return request.method === 'HEAD' ? '' : null;
  });
}
