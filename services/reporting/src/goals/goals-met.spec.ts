import { expect, test } from '@jest/globals';
import { goalsMetBy, type JudgedGoal, type JudgedHit } from './goals-met.js';

const hit = (overrides: Partial<JudgedHit> = {}): JudgedHit => ({
  workspaceId: 'ws_1',
  pageId: 'page_1',
  type: 'event',
  name: 'signup',
  ...overrides,
});
const goal = (overrides: Partial<JudgedGoal> = {}): JudgedGoal => ({ workspaceId: 'ws_1', eventName: 'signup', pageId: null, ...overrides });

test('a named event meets every goal for that name, and only those', () => {
  const [anyPage, thisPage, otherName] = [goal(), goal({ pageId: 'page_1' }), goal({ eventName: 'purchase' })];
  expect(goalsMetBy(hit(), [anyPage, thisPage, otherName])).toEqual([anyPage, thisPage]);
});

test('a goal of one page is not met on another page, nor on an unknown one', () => {
  expect(goalsMetBy(hit(), [goal({ pageId: 'page_2' })])).toEqual([]);
  expect(goalsMetBy(hit({ pageId: null }), [goal({ pageId: 'page_1' })])).toEqual([]);
});

test('a goal of every page is met by a hit of an unknown page', () => {
  expect(goalsMetBy(hit({ pageId: null }), [goal()])).toHaveLength(1);
});

test('a goal of another workspace is never met', () => {
  expect(goalsMetBy(hit(), [goal({ workspaceId: 'ws_2' })])).toEqual([]);
});

test('a pageview meets no named-event goal, whatever name it carries', () => {
  expect(goalsMetBy(hit({ type: 'pageview' }), [goal()])).toEqual([]);
});

test('names are compared to the letter', () => {
  expect(goalsMetBy(hit({ name: 'Signup' }), [goal()])).toEqual([]);
});
