// Starts key-management for a test file, and builds what its tests begin with: a workspace of their own and keys in it.
import { createHash, randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  AuditService,
  CallerSchema,
  GatewayLeaseService,
  KeyService,
  WorkspaceService,
  type Caller,
  type CreateKeyRequest,
  type Key,
  type RotateKeyRequest,
  type UpdateKeyRequest,
} from '@na/contracts';
import type { Logger } from '@na/service-host';
import { eventually, TestBed } from '@na/testing';
import pg from 'pg';
import { typeid } from 'typeid-js';
import type { Pepper } from '../src/keys/key-digest.js';
import { startKeyManagement } from '../src/start.js';

type NewKey = Omit<CreateKeyRequest, '$typeName' | '$unknown'>;
type Patch = Partial<Omit<UpdateKeyRequest, '$typeName' | '$unknown' | 'caller' | 'id' | 'fields'>>;
type Meanwhile = () => void | Promise<void>;
type Rotation = Partial<Pick<RotateKeyRequest, 'overlapSeconds' | 'ifMatch'>>;

/** Short leases, so that a test that waits for the end of one is a short one. */
export const defaults = { keyLeaseMs: 300, keyExpiryWarningDays: [7, 1], maxKeysPerWorkspace: 1_000, rateLimit: 600, rateLimitWindowSeconds: 60 };

export const sha256 = (text: string) => createHash('sha256').update(text).digest();

export class KeyManagementBed {
  private replicas = 1;

  private constructor(
    readonly bed: TestBed,
    /** Superuser, with the service's schema first. */
    readonly sql: pg.Client,
    private readonly settings: typeof defaults & { keyPeppers: Pepper[] },
  ) {}

  /** @param logger takes what the service logs, for a test that reads it */
  static async start(overrides: Partial<typeof defaults> = {}, logger?: Logger): Promise<KeyManagementBed> {
    const settings = { ...defaults, ...overrides };
    const bed = await TestBed.start();
    const keyPeppers = [{ version: 1, key: randomBytes(32) }];
    const host = bed.host('key-management');
    await startKeyManagement({ ...bed.config('key-management'), ...settings, keyPeppers }, logger ? { ...host, logger } : host);
    const sql = new pg.Client({ connectionString: bed.database.adminUrl });
    await sql.connect();
    await sql.query('SET search_path = key_management');
    return new KeyManagementBed(bed, sql, { ...settings, keyPeppers });
  }

  /** A second replica of the service, on the same database and bus. */
  async startReplica(): Promise<void> {
    this.replicas += 1;
    await startKeyManagement({ ...this.bed.config('key-management'), ...this.settings }, this.bed.host('key-management'));
  }

  async stop(): Promise<void> {
    await this.sql.end();
    await this.bed.stop();
  }

  get keys() {
    return this.bed.rpc.client(KeyService);
  }

  get leases() {
    return this.bed.rpc.client(GatewayLeaseService);
  }

  get audit() {
    return this.bed.rpc.client(AuditService);
  }

  get workspaces() {
    return this.bed.rpc.client(WorkspaceService);
  }

  operator(workspaceId = ''): Caller {
    return create(CallerSchema, { workspaceId, actor: 'operator', address: '192.0.2.1', requestId: 'req_1' });
  }

  callerOf({ workspaceId, id }: Key): Caller {
    return create(CallerSchema, { workspaceId, actor: id, address: '192.0.2.7', requestId: 'req_2' });
  }

  async newWorkspace(): Promise<string> {
    const settings = { name: 'Acme', timeZone: 'Europe/Berlin', ownerEmails: ['o@example.com'] };
    const { workspace } = await this.workspaces.createWorkspace({ caller: this.operator(), ...settings });
    return workspace!.id;
  }

  /** Made by the operator, unless a caller is given. */
  async newKey(workspaceId: string, overrides: Partial<NewKey> = {}): Promise<{ key: Key; secret: string }> {
    const secret = randomBytes(32).toString('hex');
    const identity = { workspaceId, id: typeid('key').toString(), secretDigest: sha256(secret), lastFour: secret.slice(-4) };
    const request = { caller: this.operator(), ...identity, name: 'CI', scopes: ['pages:read', 'keys:write'] };
    const { key } = await this.keys.createKey({ ...request, ...overrides });
    return { key: key!, secret };
  }

  /** By the operator, unless a caller is given. */
  async update(key: Key, patch: Patch, caller: Caller = this.operator(key.workspaceId)): Promise<Key> {
    const fields = Object.keys(patch).filter((field) => field !== 'ifMatch');
    const names = fields.map((field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
    const { key: updated } = await this.keys.updateKey({ caller, id: key.id, fields: names, ...patch });
    return updated!;
  }

  /** By the operator, unless a caller is given. */
  async rotate(key: Key, rotation: Rotation = {}, caller: Caller = this.operator(key.workspaceId)): Promise<{ key: Key; secret: string }> {
    const secret = randomBytes(32).toString('hex');
    const { key: rotated } = await this.keys.rotateKey({ caller, id: key.id, secretDigest: sha256(secret), lastFour: secret.slice(-4), ...rotation });
    return { key: rotated!, secret };
  }

  async revoke(key: Key): Promise<Key> {
    const { key: revoked } = await this.keys.revokeKey({ caller: this.operator(key.workspaceId), id: key.id });
    return revoked!;
  }

  async get(key: Key): Promise<Key> {
    const { key: found } = await this.keys.getKey({ caller: this.operator(key.workspaceId), id: key.id });
    return found!;
  }

  async statusOf(key: Key, secret: string): Promise<string> {
    const { status } = await this.keys.verifyKey({ keyId: key.id, secretDigest: sha256(secret) });
    return status;
  }

  /**
   * Has attempts of one workspace meet at the rows of some keys: they are held as if somebody else were changing them, until
   * an attempt waits for them in each replica, where the others wait for it.
   * @param meanwhile what happens while they wait; what it asks of `sql` comes before them
   */
  contend<T>(keys: Key[], attempts: (() => Promise<T>)[], meanwhile?: Meanwhile): Promise<PromiseSettledResult<T>[]> {
    return this.whileHeld('keys', keys.map(({ id }) => id), attempts, meanwhile);
  }

  /** The same at the row of a workspace. */
  contendFor<T>(workspaceId: string, attempts: (() => Promise<T>)[], meanwhile?: Meanwhile): Promise<PromiseSettledResult<T>[]> {
    return this.whileHeld('workspaces', [workspaceId], attempts, meanwhile);
  }

  private async whileHeld<T>(table: string, ids: string[], attempts: (() => Promise<T>)[], meanwhile: Meanwhile = () => undefined) {
    await this.sql.query('BEGIN');
    await this.sql.query(`SELECT 1 FROM ${table} WHERE id = ANY($1) FOR UPDATE`, [ids]);
    const results = Promise.allSettled(attempts.map((attempt) => attempt()));
    await eventually(async () => {
      // Within a transaction PostgreSQL shows the same activity again.
      await this.sql.query('SELECT pg_stat_clear_snapshot()');
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      if ((await this.sql.query(waiting)).rowCount! < Math.min(attempts.length, this.replicas)) throw new Error('They do not wait yet.');
    });
    try {
      await meanwhile();
    } finally {
      await this.sql.query('COMMIT');
    }
    return results;
  }

  /** `ms` milliseconds from now, by the service's clock. */
  in(ms: number) {
    return timestampFromDate(new Date(this.bed.clock.now().getTime() + ms));
  }
}
