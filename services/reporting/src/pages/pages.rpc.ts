// Answers PageService.
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { PageService, type CreatePageRequest, type FindUnknownPagesRequest, type GetPageRequest, type ListPagesRequest, type PageSchema } from '@na/contracts';
import { RpcMethod, workspaceOf } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import { Page } from './page.entity.js';
import { Pages } from './pages.js';

const maxIds = 100;

@Controller()
export class PagesRpc {
  constructor(private readonly pages: Pages) {}

  @RpcMethod(PageService.method.createPage)
  async createPage(request: CreatePageRequest) {
    return { page: toProto(await this.pages.create(workspaceOf(request.caller), request)) };
  }

  @RpcMethod(PageService.method.getPage)
  async getPage(request: GetPageRequest) {
    return { page: toProto(await this.pages.get(workspaceOf(request.caller), request.id)) };
  }

  @RpcMethod(PageService.method.listPages)
  async listPages(request: ListPagesRequest) {
    const { rows, hasMore } = await this.pages.list(workspaceOf(request.caller), request);
    return { pages: rows.map(toProto), hasMore };
  }

  @RpcMethod(PageService.method.findUnknownPages)
  async findUnknownPages({ caller, ids }: FindUnknownPagesRequest) {
    if (ids.length > maxIds) throw new ServiceError('invalid_request', `At most ${maxIds} pages can be asked for at once.`);
    return { unknownIds: await this.pages.unknownOf(workspaceOf(caller), ids) };
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
