import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  aHit,
  newWorkspace,
  publishedConversions,
  send,
  startReportingBed,
  unacknowledged,
  until,
  whileABatchIsStuck,
  type ReportingBed,
} from './reporting-bed.js';

let reporting: ReportingBed;
beforeAll(async () => {
  reporting = await startReportingBed();
});
afterAll(() => reporting.stop());

/** Every connection of the service at once, as a restart of PostgreSQL would. */
async function cutConnections(): Promise<void> {
  const { rowCount } = await reporting.sql.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'reporting' AND datname = current_database()`);
  expect(rowCount).toBeGreaterThan(0);
}

test('hits whose transaction is cut off in the middle are stored and converted once, and acknowledged only then', async () => {
  const { workspaceId, caller } = newWorkspace();
  await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup' });
  const ids = ['stuck', 'behind-1', 'behind-2', 'behind-3'];
  await whileABatchIsStuck(reporting, aHit(workspaceId, { id: ids[0] }), async () => {
    for (const id of ids.slice(1)) await send(reporting, aHit(workspaceId, { id }));
    expect(await unacknowledged(reporting)).toBe(ids.length);
    await cutConnections();
  });
  await until(async () => (await unacknowledged(reporting)) === 0);
  const hits = await reporting.sql.query('SELECT id FROM hits WHERE workspace_id = $1 ORDER BY id', [workspaceId]);
  expect(hits.rows.map(({ id }: { id: string }) => id)).toEqual([...ids].sort());
  const conversions = await reporting.sql.query('SELECT hit_id FROM conversions WHERE workspace_id = $1', [workspaceId]);
  expect(conversions.rowCount).toBe(ids.length);
  await until(async () => (await publishedConversions(reporting, workspaceId)) === ids.length);
});

test('a service that starts finds the hits that came while it was down', async () => {
  const { workspaceId, caller } = newWorkspace();
  await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup' });
  await reporting.host.stop();
  await send(reporting, aHit(workspaceId));
  await reporting.restart();
  expect((await reporting.bed.nextEvent('goal.converted', workspaceId)).workspaceId).toBe(workspaceId);
});
