// /api/v1/pages
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { PageSchema, type Caller } from '@na/contracts';
import { Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import { listQuery, Lists, type ListQuery } from '../http/lists.js';
import { resource } from '../http/resource.js';
import { idPipe } from '../http/schema-pipe.js';
import { NewId } from '../idempotency/new-id.js';
import { Documented } from '../openapi/operation.js';
import { Services } from '../services.js';
import { pageOperations, pagesTag } from './pages.reference.js';
import { newPage, type NewPage } from './pages.schema.js';

@Documented(pagesTag, pageOperations)
@Controller('/api/v1/pages')
export class PagesController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  @Post()
  @Scoped('pages:write')
  async create(@From() caller: Caller, @NewId('page') id: string, @Body({ schema: newPage }) { url, title, time_zone }: NewPage) {
    const { page } = await this.services.pages.createPage({ caller, id, url, title, timeZone: time_zone ?? undefined });
    return resource(PageSchema, page!);
  }

  @Get()
  @Scoped('pages:read')
  list(@From() caller: Caller, @Query({ schema: listQuery }) query: ListQuery) {
    return this.lists.answer('pages', caller, query, async (at) => {
      const { pages, hasMore } = await this.services.pages.listPages({ caller, ...at });
      return { schema: PageSchema, items: pages, hasMore };
    });
  }

  @Get(':id')
  @Scoped('pages:read')
  async get(@From() caller: Caller, @Param('id', idPipe('page', 'page')) id: string) {
    const { page } = await this.services.pages.getPage({ caller, id });
    return resource(PageSchema, page!);
  }
}
