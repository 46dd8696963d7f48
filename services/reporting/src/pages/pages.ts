// The pages a workspace tracks: registering, finding, listing.
import { eventMessage, appendToOutbox, type OutboxRelay } from '@na/outbox';
import { newEvent } from '@na/contracts';
import { notFound, ServiceError } from '@na/service-error';
import { inWorkspace, type Clock } from '@na/service-host';
import { typeid } from 'typeid-js';
import { QueryFailedError, type DataSource } from 'typeorm';
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

  /** @throws ServiceError `invalid_request` with pointers, or `conflict` when the workspace tracks this URL already */
  async create(workspaceId: string, draft: PageDraft): Promise<Page> {
    refuseFaults(pageDraftFaults(draft));
    const page = newPage(workspaceId, draft, this.clock.now());
    try {
      await this.insert(page);
    } catch (error) {
      throw isUrlTaken(error) ? await this.conflict(page) : error;
    }
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

  exists(workspaceId: string, id: string): Promise<boolean> {
    return inWorkspace(this.database, workspaceId, (tx) => tx.existsBy(Page, { workspaceId, id }));
  }

  private async insert(page: Page): Promise<void> {
    await inWorkspace(this.database, page.workspaceId, async (tx) => {
      await tx.insert(Page, page);
      const data = { pageId: page.id, url: page.url, title: page.title };
      await appendToOutbox(tx, [eventMessage(newEvent({ type: 'page.created', workspaceId: page.workspaceId, data, createdAt: page.createdAt }))]);
    });
  }

  private async conflict({ workspaceId, url }: Page): Promise<ServiceError> {
    const taken = await inWorkspace(this.database, workspaceId, (tx) => tx.findOneBy(Page, { workspaceId, url }));
    return new ServiceError('conflict', `This workspace already tracks ${url}${taken ? ` as ${taken.id}` : ''}.`, {
      fields: [{ pointer: '/url', code: 'taken', detail: 'is tracked already' }],
    });
  }
}

function newPage(workspaceId: string, draft: PageDraft, createdAt: Date): Page {
  return {
    workspaceId,
    id: typeid('page').toString(),
    url: normalisePageUrl(draft.url)!,
    title: draft.title,
    timeZone: draft.timeZone ?? null,
    verifiedAt: null,
    createdAt,
  };
}

/** Left to the constraint: a look before the insert would let two requests at once both pass. */
function isUrlTaken(error: unknown): boolean {
  return error instanceof QueryFailedError && (error.driverError as { constraint?: string }).constraint === 'pages_url_unique';
}
