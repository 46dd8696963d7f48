// One slice of a list that is read by keyset: oldest first, each slice starting above the last id of the one before.
import { ServiceError } from '@na/service-error';
import { MoreThan, type EntityManager, type EntityTarget, type FindOptionsOrder, type FindOptionsWhere } from 'typeorm';

const maxLimit = 100;

export interface SliceRequest {
  /** 1 to 100. */
  limit: number;
  /** Id of the last row of the slice before; empty for the first. */
  after: string;
}

export interface Slice<T> {
  rows: T[];
  hasMore: boolean;
}

/** TypeIDs sort by the time they were made, so that the id is the key and the order at once. */
export async function sliceOf<T extends { id: string; workspaceId: string }>(
  tx: EntityManager,
  entity: EntityTarget<T>,
  workspaceId: string,
  { limit, after }: SliceRequest,
): Promise<Slice<T>> {
  if (limit < 1 || limit > maxLimit) throw new ServiceError('invalid_request', `The limit must be 1 to ${maxLimit}.`);
  const where = { workspaceId, id: MoreThan(after) } as FindOptionsWhere<T>;
  const rows = await tx.find(entity, { where, order: { id: 'ASC' } as FindOptionsOrder<T>, take: limit + 1 });
  return { rows: rows.slice(0, limit), hasMore: rows.length > limit };
}
