// Starts key-management for a test file, and builds what its tests begin with: a workspace of their own and keys in it.
import { createHash, randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { CallerSchema, KeyService, WorkspaceService, type Caller, type CreateKeyRequest, type Key } from '@na/contracts';
import { TestBed } from '@na/testing';
import pg from 'pg';
import { typeid } from 'typeid-js';
import { startKeyManagement } from '../src/start.js';

type NewKey = Omit<CreateKeyRequest, '$typeName' | '$unknown'>;

export const sha256 = (text: string) => createHash('sha256').update(text).digest();

export class KeyManagementBed {
  private constructor(
    readonly bed: TestBed,
    /** Superuser, with the service's schema first. */
    readonly sql: pg.Client,
  ) {}

  static async start(): Promise<KeyManagementBed> {
    const bed = await TestBed.start();
    const keyPeppers = [{ version: 1, key: randomBytes(32) }];
    await startKeyManagement({ ...bed.config('key-management'), keyPeppers }, bed.host('key-management'));
    const sql = new pg.Client({ connectionString: bed.database.adminUrl });
    await sql.connect();
    await sql.query('SET search_path = key_management');
    return new KeyManagementBed(bed, sql);
  }

  async stop(): Promise<void> {
    await this.sql.end();
    await this.bed.stop();
  }

  get keys() {
    return this.bed.rpc.client(KeyService);
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
    const { workspace } = await this.workspaces.createWorkspace({ caller: this.operator(), name: 'Acme', timeZone: 'Europe/Berlin', ownerEmails: ['o@example.com'] });
    return workspace!.id;
  }

  /** Made by the operator, unless a caller is given. */
  async newKey(workspaceId: string, overrides: Partial<NewKey> = {}): Promise<{ key: Key; secret: string }> {
    const secret = randomBytes(32).toString('hex');
    const request = { caller: this.operator(), workspaceId, id: typeid('key').toString(), name: 'CI', scopes: ['pages:read', 'keys:write'], lastFour: secret.slice(-4) };
    const { key } = await this.keys.createKey({ ...request, secretDigest: sha256(secret), ...overrides });
    return { key: key!, secret };
  }

  async statusOf(key: Key, secret: string): Promise<string> {
    const { status } = await this.keys.verifyKey({ keyId: key.id, secretDigest: sha256(secret) });
    return status;
  }

  /** `ms` milliseconds from now, by the service's clock. */
  in(ms: number) {
    return timestampFromDate(new Date(this.bed.clock.now().getTime() + ms));
  }
}
