// Endpoint health and alerts on real servers, without the pipeline that would make the attempts.
import { Controller, Module } from '@nestjs/common';
import { WorkspaceService, type GetWorkspaceRequest } from '@na/contracts';
import { RpcMethod, serveOnBus } from '@na/messaging';
import { notFound } from '@na/service-error';
import { openDatabase } from '@na/service-host';
import { eventually, TestBed } from '@na/testing';
import { typeid } from 'typeid-js';
import type { DataSource, EntityManager } from 'typeorm';
import { Endpoint } from '../src/endpoints/endpoint.entity.js';
import type { AttemptOutcome } from '../src/health/endpoint-health.js';
import { applyOutcomes } from '../src/health/health-store.js';
import { Foundation1780000000000 } from '../src/migrations/1780000000000-foundation.js';
import { EndpointSettingsHealthReplays1796000000000 } from '../src/migrations/1796000000000-endpoint-settings-health-replays.js';
import { OutboxAndAlerts1796100000000 } from '../src/migrations/1796100000000-outbox-and-alerts.js';
import { RepeatedRequests1796650000000 } from '../src/migrations/1796650000000-repeated-requests.js';

export const policy = { disableAfterMs: 72 * 3_600_000, minFailedAttempts: 3 };

export interface EndpointHealthRow {
  status: string;
  failing_since: Date | null;
  failed_attempts: number;
  warnings: number;
  disabled_reason: string | null;
  disabled_at: Date | null;
}

export class AlertsBed {
  private constructor(
    readonly bed: TestBed,
    readonly database: DataSource,
  ) {}

  static async start(): Promise<AlertsBed> {
    const bed = await TestBed.start();
    const migrations = [Foundation1780000000000, EndpointSettingsHealthReplays1796000000000, OutboxAndAlerts1796100000000, RepeatedRequests1796650000000];
    const options = { ...bed.config('webhook-dispatcher'), databasePoolSize: 10, schema: 'webhook_dispatcher', entities: [Endpoint], migrations };
    return new AlertsBed(bed, await openDatabase(options, bed.host('webhook-dispatcher')));
  }

  async createEndpoint(overrides: Partial<Endpoint> = {}): Promise<string> {
    const id = overrides.id ?? typeid('we').toString();
    const retryPolicy = { baseSeconds: 5, factor: 4, maxSeconds: 43_200, maxAttempts: 12 };
    await this.database.getRepository(Endpoint).insert({
      id,
      workspaceId: typeid('ws').toString(),
      url: 'https://api.example.com/hooks',
      description: 'Orders',
      eventTypes: ['*'],
      retryPolicy,
      timeoutMs: 1_000,
      status: 'enabled',
      sealedSecret: Buffer.alloc(0),
      createdAt: this.now,
      ...overrides,
    });
    return id;
  }

  failure(at = this.now): AttemptOutcome {
    return { at, succeeded: false, gone: false, responseCode: 503 };
  }

  gone(): AttemptOutcome {
    return { at: this.now, succeeded: false, gone: true, responseCode: 410 };
  }

  success(at = this.now): AttemptOutcome {
    return { at, succeeded: true, gone: false, responseCode: 200 };
  }

  apply(endpointId: string, ...outcomes: AttemptOutcome[]) {
    return this.database.transaction((tx) => this.applyIn(tx, endpointId, ...outcomes));
  }

  applyIn(tx: EntityManager, endpointId: string, ...outcomes: AttemptOutcome[]) {
    return applyOutcomes(tx, new Map([[endpointId, outcomes]]), this.now, policy);
  }

  /** Resolves when a connection waits for the lock of another. */
  someoneWaits(): Promise<void> {
    return eventually(async () => {
      const rows = await this.database.query<object[]>(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
      if (rows.length === 0) throw new Error('no connection waits for a lock');
    });
  }

  /** Fails an endpoint up to its first warning. */
  async warn(endpointId: string): Promise<void> {
    await this.apply(endpointId, this.failure(this.hoursAgo(30)), this.failure());
  }

  async health(endpointId: string): Promise<EndpointHealthRow> {
    const rows = await this.database.query<EndpointHealthRow[]>(
      'SELECT status, failing_since, failed_attempts, warnings, disabled_reason, disabled_at FROM endpoints WHERE id = $1',
      [endpointId],
    );
    return rows[0]!;
  }

  hoursAgo(hours: number): Date {
    return new Date(this.now.getTime() - hours * 3_600_000);
  }

  get now(): Date {
    return this.bed.clock.now();
  }

  /** Stands in for key management; a workspace that is not in the list does not exist. */
  async serveWorkspaces(owners: Map<string, string[]>): Promise<void> {
    @Controller()
    class FakeWorkspaces {
      @RpcMethod(WorkspaceService.method.getWorkspace)
      async getWorkspace({ id, caller }: GetWorkspaceRequest) {
        const ownerEmails = owners.get(id);
        if (!ownerEmails || caller?.workspaceId !== id || caller.actor !== 'webhook-dispatcher') throw notFound('workspace', id);
        return { workspace: { id, name: 'Acme\r\nBcc: victim@example.com', timeZone: 'Europe/Berlin', ownerEmails } };
      }
    }
    @Module({ controllers: [FakeWorkspaces] })
    class FakeKeyManagement {}
    await serveOnBus(FakeKeyManagement, this.bed.bus, this.bed.natsUrl, this.bed.host('key-management'));
  }

  stop(): Promise<void> {
    return this.bed.stop();
  }
}
