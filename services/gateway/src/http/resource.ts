// An answer that is one thing with an address of its own: it carries an ETag, and a Location where it was just made.
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { etagOfJson, publicJson, type JsonObject, type JsonValue } from '@na/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathOf } from './target.js';

interface About {
  /** Of the thing as it is, without what is shown of it only this once. */
  etag?: string;
  /** Path of the thing. Unless told, what a 201 or 202 made is at the path of the request, below its id. */
  location?: string;
}

export class Resource {
  constructor(
    readonly json: JsonObject,
    readonly about: About = {},
  ) {}
}

/** @param extra what this answer says besides the thing itself, such as a new secret; not part of its ETag */
export function resource(schema: DescMessage, message: Message, extra: Record<string, JsonValue> = {}, location?: string): Resource {
  const json = publicJson(schema, message);
  return new Resource({ ...json, ...extra }, { etag: etagOfJson(json), location });
}

const made = new Set([201, 202]);

/** May be kept by the client alone, and not be shown again without asking here whether it is still so. */
const revalidated = { 'cache-control': 'private, no-cache', vary: 'authorization, x-workspace-id' };

/** @param basePath of the public URL, which stands before every path here */
export function renderResource({ json, about }: Resource, request: FastifyRequest, reply: FastifyReply, basePath: string): JsonObject {
  if (about.etag) void reply.header('etag', about.etag);
  if (about.etag && request.method === 'GET') void reply.headers(revalidated);
  const location = about.location ?? (request.method === 'POST' && made.has(reply.statusCode) ? `${pathOf(request)}/${json.id as string}` : undefined);
  if (location) void reply.header('location', basePath + location);
  return json;
}
