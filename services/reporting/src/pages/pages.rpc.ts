// Answers PageService.
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { PageService, type CreatePageRequest, type GetPageRequest, type ListPagesRequest, type PageSchema } from '@na/contracts';
import { RpcMethod } from '@na/messaging';
import { workspaceOf } from '../caller.js';
import { Page } from './page.entity.js';
import { Pages } from './pages.js';

@Controller()
export class PagesRpc {
  constructor(private readonly pages: Pages) {}

  @RpcMethod(PageService.method.createPage)
  async createPage(request: CreatePageRequest) {
    return { page: toProto(await this.pages.create(workspaceOf(request), request)) };
  }

  @RpcMethod(PageService.method.getPage)
  async getPage(request: GetPageRequest) {
    return { page: toProto(await this.pages.get(workspaceOf(request), request.id)) };
  }

  @RpcMethod(PageService.method.listPages)
  async listPages(request: ListPagesRequest) {
    const { rows, hasMore } = await this.pages.list(workspaceOf(request), request);
    return { pages: rows.map(toProto), hasMore };
  }
}

function toProto(page: Page): MessageInitShape<typeof PageSchema> {
  return {
    id: page.id,
    workspaceId: page.workspaceId,
    url: page.url,
    title: page.title,
    timeZone: page.timeZone ?? undefined,
    verifiedAt: page.verifiedAt ? timestampFromDate(page.verifiedAt) : undefined,
    createdAt: timestampFromDate(page.createdAt),
  };
}
