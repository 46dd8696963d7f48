// Which answers hold a secret: those with a member of that name. It follows the answer, not the route, so that no route can
// forget to say so. Such an answer is not compressed, since with something of a stranger's choosing in the same answer its
// length would tell of the secret (BREACH), and not kept for a repeat as it was.
import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    showsSecret?: true;
  }
}

export function noteSecret(request: FastifyRequest, answer: object): void {
  if (typeof (answer as { secret?: unknown }).secret !== 'string') return;
  request.showsSecret = true;
  // How @fastify/compress is told.
  request.headers['x-no-compression'] = 'secret';
}

export function isSecretAnswer(request: FastifyRequest): boolean {
  return request.showsSecret === true;
}
