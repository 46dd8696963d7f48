// What a route knows of the tries of its request. Ids for what it makes are, with an Idempotency-Key, the same each time it is
// carried out, so that a second try, after a crash or an answer that never came, meets what the first one made instead of
// making another.
import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { TypeID, typeid } from 'typeid-js';
import type { Claim } from './idempotency-records.js';

/** The claim of the request in hand; undefined when it has no Idempotency-Key. */
export const ByClaim = createParamDecorator((_data: unknown, context: ExecutionContext): Claim | undefined => claimOf(context));

/** Whether an earlier try may have done already what is asked for. */
export const IsRepeat = createParamDecorator((_data: unknown, context: ExecutionContext): boolean => claimOf(context)?.isRepeat ?? false);

/** The id of the one thing that the request makes. */
export const NewId = createParamDecorator((prefix: string, context: ExecutionContext): string => {
  const claim = claimOf(context);
  return (claim ? typeid(prefix, claim.newId) : typeid(prefix)).toString();
});

/**
 * The id of one of many things that a request makes. Nobody can aim it at a thing of others: the record's own id is random.
 * @param index of the thing in the request
 */
export function newIdAt(prefix: string, index: number, claim: Pick<Claim, 'newId'> | undefined): string {
  if (!claim) return typeid(prefix).toString();
  const uuid = Buffer.from(typeid(prefix, claim.newId).toUUIDBytes());
  const rest = createHash('sha256').update(uuid).update(String(index)).digest();
  // The record's time, as UUIDv7 begins with, its version and variant, and 74 bits of the digest (RFC 9562).
  rest.copy(uuid, 6, 0, 10);
  uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x70, 6);
  uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8);
  return TypeID.fromUUIDBytes(prefix, uuid).toString();
}

function claimOf(context: ExecutionContext): Claim | undefined {
  return context.switchToHttp().getRequest<FastifyRequest>().claim;
}
