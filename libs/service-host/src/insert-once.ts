// Inserts what a request makes, though the request may be tried several times: each try brings the same id, and the later
// ones find the row of the first. What others are told of the row belongs into the same transaction, and only to a new one.
import { ServiceError } from '@na/service-error';
import type { EntityManager, EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm';

export interface Once<T> {
  row: T;
  /** Whether this try made it. */
  isNew: boolean;
}

/**
 * Of several tries at once one inserts, and the others wait for the end of its transaction.
 * @param own what the row of an earlier try is found by: with the workspace, as an id alone would find those of others
 * @param refusal when something else is in the way: another unique value of the row, or its id in another workspace
 * @throws ServiceError `conflict`, or what `refusal` says
 */
export async function insertOnce<T extends ObjectLiteral>(
  tx: EntityManager,
  entity: EntityTarget<T>,
  row: T,
  own: FindOptionsWhere<T>,
  refusal: () => ServiceError | Promise<ServiceError> = () => new ServiceError('conflict', 'The id is taken.'),
): Promise<Once<T>> {
  const inserted = await tx.createQueryBuilder().insert().into(entity).values(row).orIgnore().returning('id').execute();
  if ((inserted.raw as unknown[]).length > 0) return { row, isNew: true };
  const earlier = await tx.findOneBy(entity, own);
  if (!earlier) throw await refusal();
  return { row: earlier, isNew: false };
}
