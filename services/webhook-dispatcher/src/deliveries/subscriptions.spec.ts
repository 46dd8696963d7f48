import { expect, test } from '@jest/globals';
import { lifetimeMs, Subscriptions, type Subscription } from './subscriptions.js';

/** Subscriptions over a table that answers when it is told to, and a clock that stands still. */
function bed() {
  let now = 0;
  const asked: { workspaceIds: string[]; answer: (version: string) => void }[] = [];
  const load = (workspaceIds: string[]) =>
    new Promise<Map<string, Subscription[]>>((resolve) => {
      asked.push({ workspaceIds, answer: (version) => resolve(new Map(workspaceIds.map((id) => [id, [{ eventTypes: [version] } as Subscription]]))) });
    });
  const subscriptions = new Subscriptions(load, () => now);
  subscriptions.trust();
  const versionOf = async (workspaceId: string) => (await subscriptions.of(workspaceId))[0]!.eventTypes[0];
  /** Lets what was begun get as far as it can. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** Answers the latest question. */
  const loadAs = async (version: string) => {
    await settle();
    asked.at(-1)!.answer(version);
    await settle();
  };
  return { subscriptions, asked, versionOf, loadAs, settle, pass: (ms: number) => (now += ms) };
}

test('what is known is not asked for again', async () => {
  const { asked, versionOf, loadAs } = bed();
  void versionOf('ws_1');
  await loadAs('first');
  expect(await versionOf('ws_1')).toBe('first');
  expect(asked).toHaveLength(1);
});

test('what many events need at the same moment is asked for once, and of all workspaces together', async () => {
  const { asked, versionOf, loadAs } = bed();
  const versions = Promise.all(['ws_1', 'ws_2', 'ws_1'].map(versionOf));
  await loadAs('first');
  expect(await versions).toEqual(['first', 'first', 'first']);
  expect(asked.map(({ workspaceIds }) => workspaceIds)).toEqual([['ws_1', 'ws_2']]);
});

test('nothing is used that is older than its lifetime, counted from when its loading began', async () => {
  const { asked, versionOf, loadAs, pass } = bed();
  void versionOf('ws_1');
  pass(lifetimeMs - 1);
  await loadAs('first');
  expect(await versionOf('ws_1')).toBe('first');
  await loadAs('renewed');
  pass(lifetimeMs);
  const later = versionOf('ws_1');
  await loadAs('second');
  expect(await later).toBe('second');
  expect(asked.length).toBeGreaterThan(1);
});

test('a workspace in use is renewed without anyone waiting for it', async () => {
  const { versionOf, loadAs, pass } = bed();
  void versionOf('ws_1');
  await loadAs('first');
  pass(lifetimeMs - 1);
  expect(await versionOf('ws_1')).toBe('first');
  await loadAs('second');
  expect(await versionOf('ws_1')).toBe('second');
});

test('with a workspace that is renewed go those that have been used since they were loaded, and no others', async () => {
  const { asked, versionOf, loadAs, pass } = bed();
  void Promise.all(['ws_1', 'ws_2', 'ws_3'].map(versionOf));
  await loadAs('first');
  expect(await versionOf('ws_2')).toBe('first');
  pass(lifetimeMs / 2);
  expect(await versionOf('ws_1')).toBe('first');
  await loadAs('second');
  expect(asked.at(-1)!.workspaceIds).toEqual(['ws_1', 'ws_2']);
  expect(await Promise.all(['ws_1', 'ws_2', 'ws_3'].map(versionOf))).toEqual(['second', 'second', 'first']);
});

test('what was forgotten while it was being loaded is used by nobody: it is loaded anew', async () => {
  const { subscriptions, asked, versionOf, loadAs, settle } = bed();
  const before = versionOf('ws_1');
  await settle();
  subscriptions.forget('ws_1');
  const after = versionOf('ws_1');
  await settle();
  asked[0]!.answer('old');
  await loadAs('new');
  expect(await Promise.all([before, after])).toEqual(['new', 'new']);
  expect(await versionOf('ws_1')).toBe('new');
  expect(asked).toHaveLength(2);
});

test('while changes can not be heard of nothing is kept, and what was kept before is not used afterwards', async () => {
  const { subscriptions, asked, versionOf, loadAs } = bed();
  void versionOf('ws_1');
  await loadAs('first');
  subscriptions.distrust();
  for (const version of ['second', 'third']) {
    const loaded = versionOf('ws_1');
    await loadAs(version);
    expect(await loaded).toBe(version);
  }
  subscriptions.trust();
  const loaded = versionOf('ws_1');
  await loadAs('fourth');
  expect(await loaded).toBe('fourth');
  expect(asked).toHaveLength(4);
});

test('of very many workspaces the oldest are forgotten', async () => {
  const { asked, versionOf, loadAs } = bed();
  void Promise.all(Array.from({ length: 10_001 }, (_, index) => versionOf(`ws_${index}`)));
  await loadAs('first');
  expect(await versionOf('ws_10000')).toBe('first');
  void versionOf('ws_0');
  await loadAs('again');
  expect(asked).toHaveLength(2);
});
