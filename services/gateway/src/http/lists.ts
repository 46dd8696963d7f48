// How every list of the API is asked for and answered: {data, has_more, next_cursor}.
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { publicJson, type Caller, type JsonObject } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { z } from 'zod';
import type { Cursors } from './cursor.js';
import { wholeNumber } from './field-schemas.js';

/** The query of a list without filters; lists with some extend it. */
export const listQuery = z.strictObject({
  limit: wholeNumber(1, 100).default(25).describe('How many items at most.'),
  cursor: z.string().min(1).max(2048).optional().describe('`next_cursor` of the page before; with the same filters.'),
});

export type ListQuery = z.infer<typeof listQuery>;

/** What a service answers for one page of a list. */
export interface Slice<D extends DescMessage> {
  schema: D;
  items: (MessageShape<D> & { id: string })[];
  hasMore: boolean;
}

export interface ListAnswer {
  data: JsonObject[];
  has_more: boolean;
  next_cursor: string | null;
}

export class Lists {
  constructor(private readonly cursors: Cursors) {}

  /** @param name tells the list from others, for its cursors; all of `query` but limit and cursor is taken for filters */
  async answer<D extends DescMessage>(
    name: string,
    caller: Caller,
    { limit, cursor, ...filters }: ListQuery,
    fetch: (at: { limit: number; after: string }) => Promise<Slice<D>>,
  ): Promise<ListAnswer> {
    const scope = [name, caller.workspaceId, filters];
    const { schema, items, hasMore } = await fetch({ limit, after: cursor === undefined ? '' : this.placeOf(cursor, scope) });
    return {
      data: items.map((item) => publicJson(schema, item)),
      has_more: hasMore,
      next_cursor: hasMore ? this.cursors.seal(items.at(-1)!.id, scope) : null,
    };
  }

  private placeOf(cursor: string, scope: readonly unknown[]): string {
    const place = this.cursors.open(cursor, scope);
    if (place === null) {
      const fields = [{ pointer: '/cursor', code: 'invalid_cursor', detail: 'Use next_cursor as it was given, with the same filters.' }];
      throw new ServiceError('invalid_request', 'The cursor does not belong to this list.', { fields });
    }
    return place;
  }
}
