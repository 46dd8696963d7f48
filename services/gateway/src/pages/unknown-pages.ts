// Holds ids of pages that a request names against the pages of its workspace, where another service is to keep them that
// knows no pages.
import type { Caller, PageService } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import { notFound } from '@na/service-error';

type Pages = Pick<RpcClient<typeof PageService>, 'findUnknownPages'>;

/**
 * @param ids at most 100
 * @throws ServiceError `not_found` for the first page of another workspace, as for one that does not exist
 */
export async function refuseUnknownPages(pages: Pages, caller: Caller, ids: string[] | null | undefined): Promise<void> {
  if (!ids?.length) return;
  const [unknown] = (await pages.findUnknownPages({ caller, ids })).unknownIds;
  if (unknown !== undefined) throw notFound('page', unknown);
}
