// Stands in for the services behind the gateway: answers their RPC from what a test has put there, and keeps what was asked.
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller, Module } from '@nestjs/common';
import {
  DeliveryService,
  EndpointService,
  GatewayLeaseService,
  KeySchema,
  KeyService,
  PageSchema,
  PageService,
  ReplayService,
  VerdictSchema,
  WorkspaceService,
  type CancelDeliveryRequest,
  type CancelReplayRequest,
  type CreateEndpointRequest,
  type CreateKeyRequest,
  type CreatePageRequest,
  type CreateReplayRequest,
  type CreateWorkspaceRequest,
  type FindUnknownPagesRequest,
  type GetDeliveryRequest,
  type GetEndpointRequest,
  type GetKeyRequest,
  type GetPageRequest,
  type GetReplayRequest,
  type GetWorkspaceRequest,
  type KeyUse,
  type ListDeliveriesRequest,
  type ListPagesRequest,
  type ListReplaysRequest,
  type Page,
  type RecordKeyUseRequest,
  type RetryDeliveryRequest,
  type Scope,
  type VerifyKeyRequest,
} from '@na/contracts';
import { RpcMethod, sealReply } from '@na/messaging';
import { notFound, ServiceError } from '@na/service-error';
import { typeid } from 'typeid-js';

export interface FakeKey {
  id: string;
  workspaceId: string;
  scopes: Scope[];
  expiresAt?: Date;
  /** When the secret before a rotation stops working. */
  previous?: { secretDigest: Uint8Array; expiresAt: Date };
  /** Of the secret before, which works no longer. */
  superseded?: Uint8Array;
  allowedIps?: string[];
  rateLimit?: { limit: number; windowSeconds: number };
  version?: number;
  workspaceVersion?: number;
  /** As key-management would judge it. */
  status: string;
  secretDigest: Uint8Array;
}

const createdAt = timestampFromDate(new Date('2026-03-01T12:00:00.000Z'));

/** What the fakes know and have been asked; one for a test file. */
export class FakeState {
  readonly keys = new Map<string, FakeKey>();
  readonly pages: Page[] = [];
  readonly asked: object[] = [];
  verifications = 0;
  /** Of FindUnknownPages: the ids of each call. */
  readonly pageLookUps: string[][] = [];
  /** Called with each of them before it is answered: holds it back, or fails. */
  holdPageLookUp: () => Promise<void> = async () => undefined;
  /** Called with each verdict before it is sent: holds it back for as long as the test likes. */
  holdVerdict: () => Promise<void> = async () => undefined;
  /** Thrown by VerifyKey while it is set. */
  verifyFault?: Error;
  /** How long the leases of gateways last; 0 for none. */
  leaseMs = 60_000;
  endedLeases = 0;
  readonly uses: KeyUse[] = [];
  /** Thrown by the next RecordKeyUse. */
  useFault?: Error;
  /** Thrown by the next CreateKey, once it has made the key: its reply is lost. */
  createKeyFault?: Error;
  readonly endpointId = typeid('we').toString();
  sentRequest = { url: 'https://example.com/hook', body: '{}', headers: { 'webhook-id': 'evt_1' } as Record<string, string> };
  readonly deliveryId = typeid('dlv').toString();
  readonly replayId = typeid('rpl').toString();
  /** Thrown by the next GetPage, as a fault of the service would be. */
  fault?: Error;
}

@Controller()
export class FakeServices {
  constructor(private readonly state: FakeState) {}

  @RpcMethod(KeyService.method.verifyKey)
  async verifyKey({ keyId, secretDigest }: VerifyKeyRequest) {
    this.state.verifications += 1;
    if (this.state.verifyFault) throw this.state.verifyFault;
    const answer = judge(this.state.keys.get(keyId), secretDigest);
    await this.state.holdVerdict();
    return answer;
  }

  @RpcMethod(KeyService.method.recordKeyUse)
  async recordKeyUse({ uses }: RecordKeyUseRequest) {
    const { useFault } = this.state;
    this.state.useFault = undefined;
    if (useFault) throw useFault;
    this.state.uses.push(...uses);
    return {};
  }

  @RpcMethod(GatewayLeaseService.method.renewLease)
  async renewLease() {
    if (this.state.leaseMs === 0) throw new ServiceError('unavailable', 'There are no leases.');
    return { leaseMs: this.state.leaseMs };
  }

  @RpcMethod(GatewayLeaseService.method.endLease)
  async endLease() {
    this.state.endedLeases += 1;
    return {};
  }

  @RpcMethod(KeyService.method.createKey)
  async createKey(request: CreateKeyRequest) {
    this.state.asked.push(request);
    const { id, workspaceId, name, scopes, expiresAt, lastFour, allowedIps, secretDigest } = request;
    const earlier = this.state.keys.get(id);
    if (earlier && request.isRepeat) return { key: create(KeySchema, { id, workspaceId, name, scopes: earlier.scopes, status: 'active', createdAt }), isRepeat: true };
    if (earlier) throw new ServiceError('conflict', 'There is such a key.');
    this.state.keys.set(id, { id, workspaceId, scopes: scopes as Scope[], status: 'valid', secretDigest });
    const { createKeyFault } = this.state;
    this.state.createKeyFault = undefined;
    if (createKeyFault) throw createKeyFault;
    return { key: create(KeySchema, { id, workspaceId, name, scopes, expiresAt, lastFour, allowedIps, status: 'active', createdAt }) };
  }

  @RpcMethod(KeyService.method.getKey)
  async getKey({ caller, id }: GetKeyRequest) {
    const key = this.state.keys.get(id);
    if (key?.workspaceId !== caller?.workspaceId) throw notFound('key', id);
    return { key: create(KeySchema, { id, workspaceId: key!.workspaceId, scopes: key!.scopes, status: 'active', createdAt }) };
  }

  @RpcMethod(WorkspaceService.method.createWorkspace)
  async createWorkspace({ name, timeZone, ownerEmails }: CreateWorkspaceRequest) {
    return { workspace: { id: typeid('ws').toString(), name, timeZone, ownerEmails, createdAt } };
  }

  @RpcMethod(WorkspaceService.method.getWorkspace)
  async getWorkspace({ id }: GetWorkspaceRequest) {
    return { workspace: { id, name: 'Acme', timeZone: 'UTC', createdAt } };
  }

  @RpcMethod(PageService.method.createPage)
  async createPage({ caller, url, title, timeZone }: CreatePageRequest) {
    const page = create(PageSchema, { id: typeid('page').toString(), workspaceId: caller!.workspaceId, url, title, timeZone, createdAt });
    this.state.pages.push(page);
    return { page };
  }

  @RpcMethod(PageService.method.getPage)
  async getPage({ caller, id }: GetPageRequest) {
    if (this.state.fault) throw this.state.fault;
    const page = this.state.pages.find((one) => one.id === id && one.workspaceId === caller?.workspaceId);
    if (!page) throw notFound('page', id);
    return { page };
  }

  @RpcMethod(PageService.method.listPages)
  async listPages({ caller, limit, after }: ListPagesRequest) {
    const rest = this.state.pages.filter((page) => page.workspaceId === caller?.workspaceId && page.id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
    return { pages: rest.slice(0, limit), hasMore: rest.length > limit };
  }

  @RpcMethod(PageService.method.findUnknownPages)
  async findUnknownPages({ caller, ids }: FindUnknownPagesRequest) {
    this.state.pageLookUps.push(ids);
    await this.state.holdPageLookUp();
    const known = this.state.pages.filter((page) => page.workspaceId === caller?.workspaceId).map(({ id }) => id);
    return { unknownIds: ids.filter((id) => !known.includes(id)) };
  }

  @RpcMethod(EndpointService.method.createEndpoint)
  async createEndpoint(request: CreateEndpointRequest) {
    this.state.asked.push(request);
    const { url, description, eventTypes, retryPolicy, timeoutMs, replyPublicKey } = request;
    const endpoint = { id: typeid('we').toString(), url, description, eventTypes, retryPolicy, timeoutMs, status: 'enabled', createdAt };
    return { endpoint, sealedSecret: sealReply('whsec_of_this_test', replyPublicKey) };
  }

  @RpcMethod(EndpointService.method.getEndpoint)
  async getEndpoint({ id }: GetEndpointRequest) {
    if (id !== this.state.endpointId) throw notFound('webhook', id);
    return { endpoint: { id, url: 'https://example.com/hook', status: 'enabled', createdAt } };
  }

  @RpcMethod(DeliveryService.method.listDeliveries)
  async listDeliveries(request: ListDeliveriesRequest) {
    this.state.asked.push(request);
    return { deliveries: [{ id: this.state.deliveryId, status: 'retrying', attempts: 3, createdAt, eventCreatedAt: createdAt }], hasMore: true };
  }

  @RpcMethod(DeliveryService.method.getDelivery)
  async getDelivery({ id }: GetDeliveryRequest) {
    return {
      delivery: { id, status: 'retrying', attempts: 1, maxAttempts: 12, responseCode: 503, createdAt },
      request: this.state.sentRequest,
      attemptLog: [{ id: typeid('att').toString(), number: 1, startedAt: createdAt, durationMs: 12.5, responseCode: 503 }],
    };
  }

  @RpcMethod(DeliveryService.method.retryDelivery)
  async retryDelivery(request: RetryDeliveryRequest) {
    this.state.asked.push(request);
    return { delivery: { id: request.id, status: 'retrying', attempts: 12, maxAttempts: 13, createdAt } };
  }

  @RpcMethod(DeliveryService.method.cancelDelivery)
  async cancelDelivery(request: CancelDeliveryRequest) {
    this.state.asked.push(request);
    return { delivery: { id: request.id, status: 'cancelled', attempts: 3, maxAttempts: 12, finalStatus: 'cancelled', createdAt } };
  }

  @RpcMethod(ReplayService.method.createReplay)
  async createReplay(request: CreateReplayRequest) {
    this.state.asked.push(request);
    return { replay: { id: this.state.replayId, endpointId: request.endpointId, status: 'running', total: 7, createdAt } };
  }

  @RpcMethod(ReplayService.method.getReplay)
  async getReplay({ endpointId, id }: GetReplayRequest) {
    if (id !== this.state.replayId) throw notFound('replay', id);
    return { replay: { id, endpointId, status: 'running', total: 7, done: 2, createdAt } };
  }

  @RpcMethod(ReplayService.method.listReplays)
  async listReplays(request: ListReplaysRequest) {
    this.state.asked.push(request);
    return { replays: [{ id: this.state.replayId, endpointId: request.endpointId, status: 'running', createdAt }], hasMore: true };
  }

  @RpcMethod(ReplayService.method.cancelReplay)
  async cancelReplay({ endpointId, id }: CancelReplayRequest) {
    return { replay: { id, endpointId, status: 'cancelled', total: 7, done: 2, createdAt } };
  }
}

/** As key-management does, down to the order of its questions. */
function judge(key: FakeKey | undefined, secretDigest: Uint8Array) {
  if (!key) return { status: 'unknown' };
  const isCurrent = Buffer.from(key.secretDigest).equals(secretDigest);
  const previous = key.previous && Buffer.from(key.previous.secretDigest).equals(secretDigest) ? key.previous : undefined;
  const isSuperseded = key.superseded && Buffer.from(key.superseded).equals(secretDigest);
  if (!isCurrent && !previous) return { status: isSuperseded ? 'superseded' : 'wrong_secret' };
  const { id: keyId, workspaceId, scopes, expiresAt, allowedIps, rateLimit, version = 1, workspaceVersion = 1, status } = key;
  const times = { expiresAt: expiresAt && timestampFromDate(expiresAt), secretExpiresAt: previous && timestampFromDate(previous.expiresAt) };
  return { status, verdict: create(VerdictSchema, { keyId, workspaceId, scopes, allowedIps, rateLimit, version, workspaceVersion, ...times }) };
}

@Module({})
export class FakeServicesModule {}
