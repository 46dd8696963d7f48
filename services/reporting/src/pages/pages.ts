// The pages a workspace tracks: registering, finding, listing.
import { eventMessage, appendToOutbox, type OutboxRelay } from '@na/outbox';
import { newEvent } from '@na/contracts';
import { notFound, ServiceError } from '@na/service-error';
import { insertOnce, inWorkspace, type Clock } from '@na/service-host';
import { typeid } from 'typeid-js';
import { In, type DataSource, type EntityManager } from 'typeorm';
import { refuseFaults } from '../field-faults.js';
import { sliceOf, type Slice, type SliceRequest } from '../slice.js';
import { pageDraftFaults, type PageDraft } from './page-draft.js';
import { Page } from './page.entity.js';
import { normalisePageUrl } from './page-url.js';

export class Pages {
  constructor(
    private readonly database: DataSource,
    private readonly relay: OutboxRelay,
    private readonly clock: Clock,
  ) {}

  /**
   * A page that an earlier try of the same request registered is neither registered nor told of again.
   * @throws ServiceError `invalid_request` with pointers, or `conflict` when the workspace tracks this URL already
   */
  async create(workspaceId: string, draft: PageDraft): Promise<Page> {
    refuseFaults(pageDraftFaults(draft));
    const page = await this.insert(newPage(workspaceId, draft, this.clock.now()));
    this.relay.wake();
    return page;
  }

  async get(workspaceId: string, id: string): Promise<Page> {
    const page = await inWorkspace(this.database, workspaceId, (tx) => tx.findOneBy(Page, { workspaceId, id }));
    if (!page) throw notFound('page', id);
    return page;
  }

  list(workspaceId: string, request: SliceRequest): Promise<Slice<Page>> {
    return inWorkspace(this.database, workspaceId, (tx) => sliceOf(tx, Page, workspaceId, request));
  }

  /** @returns those of `ids` that the workspace has no page for, in their order */
  async unknownOf(workspaceId: string, ids: string[]): Promise<string[]> {
    const known = await inWorkspace(this.database, workspaceId, (tx) => tx.find(Page, { select: { id: true }, where: { workspaceId, id: In(ids) } }));
    const knownIds = new Set(known.map(({ id }) => id));
    return ids.filter((id) => !knownIds.has(id));
  }

  exists(workspaceId: string, id: string): Promise<boolean> {
    return inWorkspace(this.database, workspaceId, (tx) => tx.existsBy(Page, { workspaceId, id }));
  }

  /** Whether the URL is taken is left to the constraint: a look before the insert would let two requests at once both pass. */
  private insert(page: Page): Promise<Page> {
    return inWorkspace(this.database, page.workspaceId, async (tx) => {
      const { workspaceId, id, url, title, createdAt } = page;
      const { row, isNew } = await insertOnce(tx, Page, page, { workspaceId, id }, () => urlTaken(tx, page));
      if (isNew) await appendToOutbox(tx, [eventMessage(newEvent({ type: 'page.created', workspaceId, data: { pageId: id, url, title }, createdAt }))]);
      return row;
    });
  }
}

function newPage(workspaceId: string, draft: PageDraft, createdAt: Date): Page {
  return {
    workspaceId,
    id: draft.id || typeid('page').toString(),
    url: normalisePageUrl(draft.url)!,
    title: draft.title,
    timeZone: draft.timeZone ?? null,
    verifiedAt: null,
    createdAt,
  };
}

async function urlTaken(tx: EntityManager, { workspaceId, url }: Page): Promise<ServiceError> {
  const taken = await tx.findOneBy(Page, { workspaceId, url });
  return new ServiceError('conflict', `This workspace already tracks ${url}${taken ? ` as ${taken.id}` : ''}.`, {
    fields: [{ pointer: '/url', code: 'taken', detail: 'is tracked already' }],
  });
}
