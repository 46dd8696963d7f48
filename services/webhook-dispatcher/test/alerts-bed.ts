// Endpoint health and alerts on real servers, without the pipeline that would make the attempts.
import { Controller, Module } from '@nestjs/common';
import { WorkspaceService, type GetWorkspaceRequest } from '@na/contracts';
import { RpcMethod, serveOnBus } from '@na/messaging';
import { notFound } from '@na/service-error';
import { openAcrossWorkspaces, openDatabase } from '@na/service-host';
import { eventually, TestBed } from '@na/testing';
import { typeid } from 'typeid-js';
import type { DataSource, EntityManager } from 'typeorm';
import { migrations } from '../src/database.js';
import { Endpoint } from '../src/endpoints/endpoint.entity.js';
import { applyOutcomes, type EndpointOutcome } from '../src/health/health-store.js';

export const url = 'https://api.example.com/hooks';

export const policy = { disableAfterMs: 72 * 3_600_000, minFailedAttempts: 3 };

export interface EndpointHealthRow {
  status: string;
  failing_since: Date | null;
  failed_attempts: number;
  warnings: number;
  disabled_reason: string | null;
  disabled_at: Date | null;
  paused_until: Date | null;
}

export class AlertsBed {
  private constructor(
    readonly bed: TestBed,
    readonly database: DataSource,
  ) {}

  static async start(): Promise<AlertsBed> {
    const bed = await TestBed.start();
    const options = { ...bed.config('webhook-dispatcher'), databasePoolSize: 10, schema: 'webhook_dispatcher', entities: [Endpoint], migrations };
    const host = bed.host('webhook-dispatcher');
    await openDatabase({ ...options, databasePoolSize: 1 }, host);
    return new AlertsBed(bed, await openAcrossWorkspaces(options, host));
  }

  async createEndpoint(overrides: Partial<Endpoint> = {}): Promise<string> {
    const id = overrides.id ?? typeid('we').toString();
    const retryPolicy = { baseSeconds: 5, factor: 4, maxSeconds: 43_200, maxAttempts: 12 };
    await this.database.getRepository(Endpoint).insert({
      id,
      workspaceId: typeid('ws').toString(),
      url,
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

  failure(at = this.now): EndpointOutcome {
    return { at, url, succeeded: false, gone: false, responseCode: 503 };
  }

  gone(): EndpointOutcome {
    return { at: this.now, url, succeeded: false, gone: true, responseCode: 410 };
  }

  success(at = this.now): EndpointOutcome {
    return { at, url, succeeded: true, gone: false, responseCode: 200 };
  }

  apply(endpointId: string, ...outcomes: EndpointOutcome[]) {
    return this.database.transaction((tx) => this.applyIn(tx, endpointId, ...outcomes));
  }

  applyIn(tx: EntityManager, endpointId: string, ...outcomes: EndpointOutcome[]) {
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
  async warn(endpointId: string, sentTo = url): Promise<void> {
    await this.apply(endpointId, ...[this.hoursAgo(30), this.now].map((at) => ({ ...this.failure(at), url: sentTo })));
  }

  async health(endpointId: string): Promise<EndpointHealthRow> {
    const rows = await this.database.query<EndpointHealthRow[]>(
      'SELECT status, failing_since, failed_attempts, warnings, disabled_reason, disabled_at, paused_until FROM endpoints WHERE id = $1',
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
