// /api/v1/goals
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { GoalSchema, type Caller } from '@na/contracts';
import { Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import { listQuery, Lists, type ListQuery } from '../http/lists.js';
import { resource } from '../http/resource.js';
import { idPipe } from '../http/schema-pipe.js';
import { NewId } from '../idempotency/new-id.js';
import { Documented } from '../openapi/operation.js';
import { Services } from '../services.js';
import { goalOperations, goalsTag } from './goals.reference.js';
import { newGoal, type NewGoal } from './goals.schema.js';

@Documented(goalsTag, goalOperations)
@Controller('/api/v1/goals')
export class GoalsController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  @Post()
  @Scoped('goals:write')
  async create(@From() caller: Caller, @NewId('goal') id: string, @Body({ schema: newGoal }) { name, event_name, page_id, value }: NewGoal) {
    const wanted = { name, eventName: event_name, pageId: page_id ?? undefined, value: value ?? undefined };
    const { goal } = await this.services.goals.createGoal({ caller, id, ...wanted });
    return resource(GoalSchema, goal!);
  }

  @Get()
  @Scoped('goals:read')
  list(@From() caller: Caller, @Query({ schema: listQuery }) query: ListQuery) {
    return this.lists.answer('goals', caller, query, async (at) => {
      const { goals, hasMore } = await this.services.goals.listGoals({ caller, ...at });
      return { schema: GoalSchema, items: goals, hasMore };
    });
  }

  @Get(':id')
  @Scoped('goals:read')
  async get(@From() caller: Caller, @Param('id', idPipe('goal', 'goal')) id: string) {
    const { goal } = await this.services.goals.getGoal({ caller, id });
    return resource(GoalSchema, goal!);
  }
}
