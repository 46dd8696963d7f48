import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { typeid } from 'typeid-js';
import { newWorkspace, startReportingBed, type ReportingBed } from './reporting-bed.js';

let reporting: ReportingBed;
beforeAll(async () => {
  reporting = await startReportingBed();
});
afterAll(() => reporting.stop());

test('a goal is created, found and listed as it was given', async () => {
  const { workspaceId, caller } = newWorkspace();
  const { page } = await reporting.pages.createPage({ caller, url: 'https://a.site/', title: 'A' });
  const { goal } = await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup', pageId: page!.id, value: 2.5 });
  expect(goal).toMatchObject({ workspaceId, name: 'Sign-up', eventName: 'signup', pageId: page!.id, value: 2.5 });
  expect(await reporting.goals.getGoal({ caller, id: goal!.id })).toMatchObject({ goal });
  expect((await reporting.goals.listGoals({ caller, limit: 10 })).goals).toEqual([goal]);
});

test('a goal without page and value has neither', async () => {
  const { caller } = newWorkspace();
  const { goal } = await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup' });
  expect([goal!.pageId, goal!.value]).toEqual([undefined, undefined]);
});

test('a goal can not be tied to a page of another workspace, and learns nothing of it', async () => {
  const [owner, stranger] = [newWorkspace(), newWorkspace()];
  const { page } = await reporting.pages.createPage({ caller: owner.caller, url: 'https://a.site/', title: 'A' });
  for (const pageId of [page!.id, 'page_unknown']) {
    await expect(reporting.goals.createGoal({ caller: stranger.caller, name: 'x', eventName: 'y', pageId })).rejects.toMatchObject({
      code: 'not_found',
      message: `There is no page with the id ${pageId} in this workspace.`,
    });
  }
});

test('a goal of another workspace is neither found nor listed', async () => {
  const [owner, stranger] = [newWorkspace(), newWorkspace()];
  const { goal } = await reporting.goals.createGoal({ caller: owner.caller, name: 'x', eventName: 'y' });
  await expect(reporting.goals.getGoal({ caller: stranger.caller, id: goal!.id })).rejects.toMatchObject({ code: 'not_found' });
  expect((await reporting.goals.listGoals({ caller: stranger.caller, limit: 10 })).goals).toEqual([]);
});

test('every fault of a goal is named at once, with its pointer', async () => {
  const refused = reporting.goals.createGoal({ caller: newWorkspace().caller, name: '', eventName: 'a\0b', value: Infinity });
  await expect(refused).rejects.toMatchObject({
    code: 'invalid_request',
    fields: [{ pointer: '/name' }, { pointer: '/event_name' }, { pointer: '/value' }],
  });
});

test('tries of one request make one goal, also at once', async () => {
  const { caller } = newWorkspace();
  const wanted = { caller, id: typeid('goal').toString(), name: 'Sign-up', eventName: 'signup' };
  const made = await Promise.all([1, 2, 3].map(() => reporting.goals.createGoal(wanted)));
  expect((await reporting.goals.listGoals({ caller, limit: 10 })).goals).toEqual([made[0]!.goal]);
  expect(made.map(({ goal }) => goal)).toEqual(Array(3).fill(made[0]!.goal));
});
