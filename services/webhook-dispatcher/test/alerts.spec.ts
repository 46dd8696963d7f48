import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkspaceService } from '@na/contracts';
import { eventually } from '@na/testing';
import { typeid } from 'typeid-js';
import { AlertQueue } from '../src/alerts/alert-queue.js';
import { AlertSender } from '../src/alerts/alert-sender.js';
import { gatherMs, giveUpAfterMs, mailEveryMs } from '../src/alerts/alert-schedule.js';
import { openMailTransport } from '../src/alerts/mail-transport.js';
import { AlertsBed } from './alerts-bed.js';
import { SmtpReceiver } from './smtp-receiver.js';

const owners = new Map<string, string[]>();
const mailFrom = 'Webhook alerts <alerts@example.com>';
let bed: AlertsBed;
let smtp: SmtpReceiver;
let queue: AlertQueue;
let workspaceId: string;
let stopSenders: (() => Promise<void>)[];

beforeAll(async () => {
  bed = await AlertsBed.start();
  await bed.serveWorkspaces(owners);
  queue = new AlertQueue(bed.database);
});
afterAll(() => bed.stop());
beforeEach(async () => {
  smtp = await SmtpReceiver.start();
  workspaceId = typeid('ws').toString();
  owners.set(workspaceId, ['ada@example.com', 'grace@example.com']);
  stopSenders = [];
});
afterEach(async () => {
  for (const stop of stopSenders) await stop();
  smtp.stop();
  await bed.database.query('TRUNCATE alerts, alert_queues');
});

function startSender({ smtpUrl = smtp.url, mailDir = '' } = {}): AlertSender {
  const host = bed.bed.host('webhook-dispatcher');
  stopSenders.push(host.stop);
  return AlertSender.start(queue, bed.bed.rpc.client(WorkspaceService), openMailTransport({ smtpUrl, mailFrom, mailDir }, host), host);
}

const warnedEndpoint = async () => {
  const id = await bed.createEndpoint({ workspaceId });
  await bed.warn(id);
  return id;
};
const pass = (ms: number, ...senders: AlertSender[]) => {
  bed.bed.clock.advance(ms);
  for (const sender of senders) sender.wake();
};
const mailsArrive = (count: number) => eventually(async () => expect(smtp.mails).toHaveLength(count));
const queueRow = async () =>
  (await bed.database.query<{ due_at: Date | null; tries: number }[]>('SELECT due_at, tries FROM alert_queues WHERE workspace_id = $1', [workspaceId]))[0]!;
const settled = () => eventually(async () => expect(await queueRow()).toMatchObject({ due_at: null }));
const inMinutes = (minutes: number) => new Date(bed.now.getTime() + minutes * 60_000);
const textOf = (raw: string) => raw.replace(/=\n/g, '').replace(/=3D/g, '=');

test('the owners of a workspace are told of a failing endpoint by mail, once', async () => {
  const id = await warnedEndpoint();
  const sender = startSender();
  pass(gatherMs, sender);
  await mailsArrive(1);
  await settled();
  const { recipients, raw } = smtp.mails[0]!;
  expect(recipients).toEqual(['ada@example.com', 'grace@example.com']);
  expect(textOf(raw)).toContain(id);
  await bed.apply(id, bed.failure());
  expect(await queueRow()).toMatchObject({ due_at: null });
});

test('a line break in a customer\'s text makes no header', async () => {
  const broken = 'https://api.example.com/\r\nBcc: victim@example.com';
  const id = await bed.createEndpoint({ workspaceId, description: 'x\r\nBcc: victim@example.com', url: broken });
  await bed.warn(id, broken);
  pass(gatherMs, startSender());
  await mailsArrive(1);
  const { recipients, raw } = smtp.mails[0]!;
  expect(recipients).not.toContain('victim@example.com');
  expect(raw.split('\n').filter((line) => /^bcc/i.test(line))).toEqual([]);
  expect(raw).toMatch(/^Subject: Webhook endpoint failing: api\.example\.com/m);
});

test('alerts that wait together are one mail', async () => {
  const ids = [await warnedEndpoint(), await warnedEndpoint(), await warnedEndpoint()];
  pass(gatherMs, startSender());
  await mailsArrive(1);
  await settled();
  expect(smtp.mails[0]!.raw).toMatch(/^Subject: Webhook endpoints: 3 failing/m);
  for (const id of ids) expect(textOf(smtp.mails[0]!.raw)).toContain(id);
  expect(smtp.mails).toHaveLength(1);
});

test('of an endpoint that was deleted meanwhile nobody is told', async () => {
  const [deleted, failing] = [await warnedEndpoint(), await warnedEndpoint()];
  await bed.database.query('UPDATE endpoints SET deleted_at = $2 WHERE id = $1', [deleted, bed.now]);
  pass(gatherMs, startSender());
  await mailsArrive(1);
  await settled();
  expect(textOf(smtp.mails[0]!.raw)).toContain(failing);
  expect(textOf(smtp.mails[0]!.raw)).not.toContain(deleted);
  expect(await queueRow()).toMatchObject({ due_at: null });
});

test('one outage is one mail: what fails within a minute of the first alert goes with it', async () => {
  const sender = startSender();
  const first = await warnedEndpoint();
  expect((await queueRow()).due_at).toEqual(inMinutes(1));
  pass(gatherMs - 1, sender);
  expect(await queue.claim(bed.now, 10)).toEqual([]);
  const ids = [first, await warnedEndpoint(), await warnedEndpoint()];
  pass(1, sender);
  await mailsArrive(1);
  await settled();
  expect(smtp.mails[0]!.raw).toMatch(/^Subject: Webhook endpoints: 3 failing/m);
  for (const id of ids) expect(textOf(smtp.mails[0]!.raw)).toContain(id);
});

test('a workspace gets at most one mail in ten minutes; what happens meanwhile is combined', async () => {
  const sender = startSender();
  await warnedEndpoint();
  pass(gatherMs, sender);
  await mailsArrive(1);
  await settled();
  await warnedEndpoint();
  await warnedEndpoint();
  expect((await queueRow()).due_at).toEqual(inMinutes(10));
  pass(mailEveryMs - 1, sender);
  expect(await queue.claim(bed.now, 10)).toEqual([]);
  pass(1, sender);
  await mailsArrive(2);
  expect(smtp.mails[1]!.raw).toMatch(/^Subject: Webhook endpoints: 2 failing/m);
});

test('an alert that comes while a mail is being sent is in the next one', async () => {
  await warnedEndpoint();
  pass(gatherMs);
  expect(await queue.claim(bed.now, 10)).toEqual([{ workspaceId, tries: 0 }]);
  const alerts = await queue.waiting(workspaceId, bed.now);
  const late = await warnedEndpoint();
  await queue.sent(workspaceId, alerts, bed.now);
  expect(await queueRow()).toMatchObject({ due_at: inMinutes(10) });
  expect((await queue.waiting(workspaceId, bed.now)).map(({ endpointId }) => endpointId)).toEqual([late]);
});

test('an alert that is committed while a mail is being settled is not forgotten', async () => {
  await warnedEndpoint();
  pass(gatherMs);
  await queue.claim(bed.now, 10);
  const alerts = await queue.waiting(workspaceId, bed.now);
  let settling: Promise<void> | undefined;
  await bed.database.transaction(async (tx) => {
    const id = await bed.createEndpoint({ workspaceId });
    await bed.applyIn(tx, id, bed.failure(bed.hoursAgo(30)), bed.failure());
    settling = queue.sent(workspaceId, alerts, bed.now);
    await bed.someoneWaits();
  });
  await settling;
  expect(await queueRow()).toMatchObject({ due_at: inMinutes(10) });
});

test('of several replicas one sends the mail', async () => {
  const senders = [startSender(), startSender(), startSender()];
  await warnedEndpoint();
  pass(gatherMs, ...senders);
  await settled();
  expect(smtp.mails).toHaveLength(1);
});

test('a mail that a dead replica was about to send is sent when its lease ends', async () => {
  await warnedEndpoint();
  pass(gatherMs);
  await queue.claim(bed.now, 10);
  pass(5 * 60_000, startSender());
  await mailsArrive(1);
});

test('a mail that is refused is tried again after 1, 2, 4 minutes, and then not more than an hour apart', async () => {
  smtp.refusing = true;
  const sender = startSender();
  await warnedEndpoint();
  pass(gatherMs, sender);
  for (const [tries, minutes] of [[1, 1], [2, 2], [3, 4], [4, 8], [5, 16], [6, 32], [7, 60], [8, 60]] as const) {
    await eventually(async () => expect(await queueRow()).toEqual({ tries, due_at: inMinutes(minutes) }));
    if (tries === 8) smtp.refusing = false;
    pass(minutes * 60_000, sender);
  }
  await mailsArrive(1);
  await settled();
  expect(await queueRow()).toMatchObject({ tries: 0 });
  expect(smtp.refused).toBe(8);
});

test('after three days an alert that could not be mailed is given up', async () => {
  smtp.refusing = true;
  const sender = startSender();
  await warnedEndpoint();
  pass(giveUpAfterMs, sender);
  await settled();
  expect(await queue.waiting(workspaceId, bed.now)).toEqual([]);
  expect(smtp.mails).toEqual([]);
});

test.each([
  ['has no owners', () => owners.set(workspaceId, [])],
  ['does not exist any more', () => owners.delete(workspaceId)],
])('the alerts of a workspace that %s are dropped', async (_what, change) => {
  change();
  await warnedEndpoint();
  pass(gatherMs, startSender());
  await settled();
  expect(await queue.waiting(workspaceId, bed.now)).toEqual([]);
  expect(smtp.mails).toEqual([]);
});

test('without a mail server mails are files that a mail program opens', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mail-'));
  const mailDir = join(folder, 'made');
  await warnedEndpoint();
  const [alert] = await queue.waiting(workspaceId, bed.now);
  pass(gatherMs, startSender({ smtpUrl: '', mailDir }));
  await settled();
  expect(await readdir(mailDir)).toEqual([`${alert!.id}.eml`]);
  const mail = await readFile(join(mailDir, `${alert!.id}.eml`), 'utf8');
  expect(mail).toMatch(/^From: Webhook alerts <alerts@example\.com>\r\nTo: ada@example\.com, grace@example\.com\r\nSubject: Webhook endpoint failing/m);
  expect(mail).toContain(`Message-ID: <${alert!.id}@example.com>`);
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  expect([await modeOf(mailDir), await modeOf(join(mailDir, `${alert!.id}.eml`))]).toEqual(['700', '600']);
  await rm(folder, { recursive: true });
});
