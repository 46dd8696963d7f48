// The goals of a workspace: creating, finding, listing. What meets them is decided in `goals-met.ts`.
import { notFound, type FieldFault } from '@na/service-error';
import { insertOnce, inWorkspace, type Clock } from '@na/service-host';
import { typeid } from 'typeid-js';
import type { DataSource } from 'typeorm';
import { refuseFaults, textFault } from '../field-faults.js';
import { sliceOf, type Slice, type SliceRequest } from '../slice.js';
import { Goal } from './goal.entity.js';

export interface GoalDraft {
  /** The same in each try of one request; empty for one that is chosen here. */
  id: string;
  name: string;
  eventName: string;
  /** Unset means every page of the workspace. */
  pageId?: string;
  value?: number;
}

/** What goals need to know of pages. */
interface KnownPages {
  exists(workspaceId: string, id: string): Promise<boolean>;
}

const maxNameLength = 200;

export class Goals {
  constructor(
    private readonly database: DataSource,
    private readonly pages: KnownPages,
    private readonly clock: Clock,
  ) {}

  /**
   * A goal that an earlier try of the same request made is not made again.
   * @throws ServiceError `invalid_request` with pointers; `not_found` for a page of another workspace as for one that does not exist
   */
  async create(workspaceId: string, draft: GoalDraft): Promise<Goal> {
    refuseFaults(draftFaults(draft));
    await this.refuseUnknownPage(workspaceId, draft);
    const goal: Goal = {
      workspaceId,
      id: draft.id || typeid('goal').toString(),
      name: draft.name,
      eventName: draft.eventName,
      pageId: draft.pageId ?? null,
      value: draft.value ?? null,
      createdAt: this.clock.now(),
    };
    const { row } = await inWorkspace(this.database, workspaceId, (tx) => insertOnce(tx, Goal, goal, { workspaceId, id: goal.id }));
    return row;
  }

  async get(workspaceId: string, id: string): Promise<Goal> {
    const goal = await inWorkspace(this.database, workspaceId, (tx) => tx.findOneBy(Goal, { workspaceId, id }));
    if (!goal) throw notFound('goal', id);
    return goal;
  }

  list(workspaceId: string, request: SliceRequest): Promise<Slice<Goal>> {
    return inWorkspace(this.database, workspaceId, (tx) => sliceOf(tx, Goal, workspaceId, request));
  }

  private async refuseUnknownPage(workspaceId: string, { pageId }: GoalDraft): Promise<void> {
    if (pageId !== undefined && !(await this.pages.exists(workspaceId, pageId))) throw notFound('page', pageId);
  }
}

function draftFaults({ name, eventName, value }: GoalDraft): FieldFault[] {
  const faults = [...textFault('/name', name, maxNameLength), ...textFault('/event_name', eventName, maxNameLength)];
  if (value !== undefined && !Number.isFinite(value)) faults.push({ pointer: '/value', code: 'invalid', detail: 'must be a finite number' });
  return faults;
}
