// Mails the owners of workspaces what has happened to their endpoints. Any number of replicas may run: a workspace's
// queue is leased to one of them at a time.
import { metrics } from '@opentelemetry/api';
import { WorkspaceService, type Workspace } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import type { Host } from '@na/service-host';
import type { Alert } from './alert.js';
import { composeAlertMail } from './alert-mail.js';
import type { AlertQueue, Turn } from './alert-queue.js';
import { isStale, resendAfterMs } from './alert-schedule.js';
import type { SendMail } from './mail-transport.js';

const claimLimit = 10;

/** Longest pause: how late an alert may be found that a replica left behind. */
const pollMs = 10_000;

/** What is due and could not be claimed is just being claimed by another: without a pause the loop would spin on it. */
const minPauseMs = 100;

const mails = metrics.getMeter('webhook-dispatcher').createCounter('webhook.alert_mails', { description: 'Mails to owners of endpoints, by outcome.' });
for (const outcome of ['sent', 'failed', 'given_up']) mails.add(0, { outcome });

type Workspaces = Pick<RpcClient<typeof WorkspaceService>, 'getWorkspace'>;

export class AlertSender {
  private readonly stopped = new AbortController();
  private wakeUp = new AbortController();
  private work: Promise<void> = Promise.resolve();

  private constructor(
    private readonly queue: AlertQueue,
    private readonly workspaces: Workspaces,
    private readonly sendMail: SendMail,
    private readonly host: Host,
    private readonly apiUrl: string,
  ) {}

  /** @param apiUrl where clients reach the API; empty when nobody has said */
  static start(queue: AlertQueue, workspaces: Workspaces, sendMail: SendMail, host: Host, apiUrl = ''): AlertSender {
    const sender = new AlertSender(queue, workspaces, sendMail, host, apiUrl);
    sender.work = sender.run();
    host.onStop('alert sender', () => sender.stop());
    return sender;
  }

  /** Call after the commit of a transaction that enqueued alerts, so that they are not found late. */
  wake(): void {
    this.wakeUp.abort();
  }

  private async stop(): Promise<void> {
    this.stopped.abort();
    this.wake();
    await this.work;
  }

  private async run(): Promise<void> {
    const { clock, logger } = this.host;
    while (!this.stopped.signal.aborted) {
      this.wakeUp = new AbortController();
      const pauseMs = await this.sendDue().catch((error: unknown) => {
        logger.warn({ err: error }, 'due alerts could not be fetched; trying again');
        return pollMs;
      });
      if (pauseMs > 0) await clock.wait(pauseMs, AbortSignal.any([this.wakeUp.signal, this.stopped.signal]));
    }
  }

  /** @returns how long to pause until the next, in milliseconds */
  private async sendDue(): Promise<number> {
    const turns = await this.queue.claim(this.host.clock.now(), claimLimit);
    await Promise.all(turns.map((turn) => this.take(turn)));
    if (turns.length > 0) return 0;
    const next = await this.queue.nextDueAt();
    const untilNext = next ? next.getTime() - this.host.clock.now().getTime() : pollMs;
    return Math.min(pollMs, Math.max(untilNext, minPauseMs));
  }

  /** One workspace's trouble is its own: the others' mails go on. */
  private async take(turn: Turn): Promise<void> {
    try {
      const alerts = await this.queue.waiting(turn.workspaceId, this.host.clock.now());
      await this.send(turn, alerts).catch((error: unknown) => this.putOff(turn, alerts, error));
    } catch (error) {
      const facts = { err: error, workspace_id: turn.workspaceId };
      this.host.logger.warn(facts, 'the alerts of a workspace could not be settled; they are taken up again when the lease ends');
    }
  }

  private async send({ workspaceId, tries }: Turn, alerts: Alert[]): Promise<void> {
    const { clock, logger } = this.host;
    const workspace = await this.workspaceOf(workspaceId);
    if (!workspace?.ownerEmails.length) {
      logger.info({ workspace_id: workspaceId, alerts: alerts.length }, 'alerts are dropped: the workspace has nobody to mail to');
      return this.queue.notSent(workspaceId, alerts, 0, clock.now(), clock.now());
    }
    // Someone whose lease had ended was quicker.
    if (alerts.length === 0) return this.queue.notSent(workspaceId, [], 0, clock.now(), clock.now());
    const mail = composeAlertMail(alerts, workspace, this.apiUrl);
    await this.sendMail({ ...mail, id: alerts[0]!.id, to: workspace.ownerEmails, date: clock.now() });
    await this.queue.sent(workspaceId, alerts, clock.now());
    mails.add(1, { outcome: 'sent' });
    logger.info({ workspace_id: workspaceId, alerts: alerts.length, recipients: workspace.ownerEmails.length, tries: tries + 1 }, 'an alert mail was sent');
  }

  private async putOff({ workspaceId, tries }: Turn, alerts: Alert[], error: unknown): Promise<void> {
    const now = this.host.clock.now();
    const failures = tries + 1;
    const stale = alerts.filter((alert) => isStale(alert, now));
    const nextAt = new Date(now.getTime() + resendAfterMs(failures));
    await this.queue.notSent(workspaceId, stale, failures, nextAt, now);
    const facts = { err: error, workspace_id: workspaceId, tries: failures, alerts: alerts.map(({ id }) => id), given_up: stale.map(({ id }) => id) };
    mails.add(1, { outcome: stale.length > 0 ? 'given_up' : 'failed' });
    if (stale.length > 0) this.host.logger.error(facts, 'alerts were given up: they could not be mailed for three days');
    else this.host.logger.warn({ ...facts, next_try_at: nextAt }, 'an alert mail could not be sent; trying again');
  }

  /** @returns undefined for a workspace that is no more */
  private async workspaceOf(id: string): Promise<Workspace | undefined> {
    try {
      const { workspace } = await this.workspaces.getWorkspace({ caller: { workspaceId: id, actor: 'webhook-dispatcher' }, id });
      return workspace;
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'not_found') return undefined;
      throw error;
    }
  }
}
