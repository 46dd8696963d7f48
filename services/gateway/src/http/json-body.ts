// Which bodies are read: JSON in UTF-8, and JSON merge patches with PATCH. Whatever else comes is refused, and never mended.
import { isUtf8 } from 'node:buffer';
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
  void fastify.addContentTypeParser(['application/json', mergePatchMediaType], { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (request.headers['idempotency-key'] !== undefined) request.bodyDigest = createHash('sha256').update(body).digest();
    const fault = encodingFault(body, request.headers['content-type']);
    if (fault) done(fault);
    else if (body.length === 0) done(null, undefined);
    else void parse(request, body.toString(), (error, value) => done(error && notJson(body), value));
  });
}

const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i;
const utf8Names = ['utf-8', 'utf8', 'us-ascii'];

/** What can't be decoded would be stored with U+FFFD in place of it, and nobody would be told. */
function encodingFault(body: Buffer, type = ''): Problem | undefined {
  const name = charset.exec(type)?.[1];
  if (name !== undefined && !utf8Names.includes(name.toLowerCase())) {
    return new Problem('unsupported_media_type', 'JSON is read as UTF-8: encode the body in it, and name no other charset.');
  }
  return isUtf8(body) ? undefined : new Problem('invalid_request', 'The body is not valid UTF-8.');
}

/** Names that could reach the prototype of an object are refused by the parser like broken JSON, and are told apart here. */
function notJson(body: Buffer): Problem {
  try {
    JSON.parse(body.toString());
  } catch {
    return new Problem('invalid_request', 'The body is not valid JSON.');
  }
  return new Problem('invalid_request', 'The body has a member "__proto__", or "constructor" with a "prototype" in it: no field is called so.');
}

/** A compressed body could be a thousand times what its length says, and a patch means nothing but with PATCH. */
function refuseUnreadable({ method, headers }: FastifyRequest): void {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers;
  if (encoding !== 'identity') {
    throw new Problem('unsupported_media_type', 'Send the body as it is, without Content-Encoding.', { headers: { 'accept-encoding': 'identity' } });
  }
  if (type.startsWith(mergePatchMediaType) && method !== 'PATCH') {
    throw new Problem('unsupported_media_type', `${mergePatchMediaType} is for PATCH only: send application/json.`);
  }
}
