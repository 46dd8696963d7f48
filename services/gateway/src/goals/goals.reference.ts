// What the reference says of /api/v1/goals.
import { GoalSchema } from '@na/contracts';
import { listOf, thing } from '../openapi/answer.js';
import { at, exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';

export const goalsTag: Tag = { name: 'Goals', description: 'What visitors are to do. Each hit that meets a goal becomes a `goal.converted` event, at most once.' };

const goal = thing('Goal', 'A goal.', GoalSchema, {
  id: exampleId('goal'),
  workspaceId: exampleId('ws'),
  name: 'Signed up',
  eventName: 'signup',
  pageId: exampleId('page'),
  value: 49.5,
  createdAt: at('2026-03-01T12:00:00.000Z'),
});

export const goalOperations = operations({
  create: {
    id: 'createGoal',
    summary: 'Create a goal',
    answer: goal,
    bodies: {
      'on any page': { name: 'Signed up', event_name: 'signup' },
      'on one page': { name: 'Signed up', event_name: 'signup', page_id: exampleId('page'), value: 49.5 },
    },
    // Of the page.
    problems: ['not_found'],
  },
  list: { id: 'listGoals', summary: 'List goals', answer: listOf(goal), query: { limit: 25 } },
  get: { id: 'getGoal', summary: 'Read a goal', answer: goal },
});
