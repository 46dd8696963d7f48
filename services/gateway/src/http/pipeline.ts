// What every request passes before anything is done for it, in this order: credential → key verdict, with the addresses that
// the key may be used from → rate limit → workspace → scope. It runs before the body is read, so that a stranger can't make
// us parse one. Schema validation and the one RPC follow in the controllers; the request id and the log line are set around
// it in server.ts.
//
// The limit stands before workspace and scope: so that what they refuse counts too, and its answer says what is left. What is
// at no address has neither of them, and passes the limit only.
import { create } from '@bufbuild/protobuf';
import { CallerSchema, type Scope } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../auth/access.js';
import type { Authentication } from '../auth/authentication.js';
import { insufficientScope, operatorOnly } from '../auth/challenge.js';
import type { Identity } from '../auth/identity.js';
import type { KeyUse } from '../auth/key-use.js';
import { actorOf, hasScope, type Principal } from '../auth/principal.js';
import { isTypeId } from '../auth/type-id.js';
import { overLimit, rateHeaders } from '../limits/rate-headers.js';
import type { RateLimits } from '../limits/rate-limits.js';
import type { Quota } from '../limits/rate-window.js';
import { pathOf } from './target.js';

/** What answers to keys. */
const apiPath = '/api/v1/';

export class Pipeline {
  constructor(
    private readonly authentication: Authentication,
    private readonly rateLimits: RateLimits,
    private readonly keyUse: KeyUse,
    /** Of keys that have no rate limit of their own. */
    private readonly defaultQuota: Quota,
  ) {}

  /** @throws ServiceError that refuses the request */
  async admit(request: FastifyRequest, reply: FastifyReply, access: Access): Promise<Identity> {
    const { principal: first, confirm } = await this.authentication.of(request);
    await this.limit(first, reply);
    const workspaceId = workspaceOf(first, request.headers['x-workspace-id'], access);
    const principal = lackedScope(first, access) !== undefined && confirm ? await confirm() : first;
    const lacked = lackedScope(principal, access);
    if (lacked !== undefined) throw lacked === 'operator' ? operatorOnly() : insufficientScope(lacked);
    if (principal.kind === 'key') this.keyUse.record(principal.verdict.keyId);
    const caller = create(CallerSchema, { workspaceId, actor: actorOf(principal), address: request.ip, requestId: request.id });
    return { principal, caller };
  }

  /**
   * For what is at no address, or not with this method: a stranger is told so without being asked for a key, and whoever sends one
   * is counted and told what is left, as on every other answer. Workspace and scope are a route's to ask for.
   * @throws ServiceError that refuses the request
   */
  async count(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!pathOf(request).startsWith(apiPath) || request.headers.authorization === undefined) return;
    const { principal } = await this.authentication.of(request);
    await this.limit(principal, reply);
  }

  private async limit(principal: Principal, reply: FastifyReply): Promise<void> {
    if (principal.kind === 'operator') return;
    const { keyId, rateLimit: quota = this.defaultQuota } = principal.verdict;
    const decision = this.rateLimits.takeAtOnce(keyId, quota) ?? (await this.rateLimits.take(keyId, quota));
    void reply.headers(rateHeaders(decision));
    if (!decision.isAdmitted) throw overLimit(decision);
  }
}

/** The workspace that the request is about: the header names it, and the key must belong to it. */
function workspaceOf(principal: Principal, header: string | string[] | undefined, access: Access): string {
  const own = principal.kind === 'key' ? principal.verdict.workspaceId : undefined;
  if (header === undefined && isHeaderOptional(access)) return own ?? '';
  if (typeof header !== 'string' || !isTypeId('ws', header)) {
    throw new ServiceError('workspace_required', 'Name the workspace in the header X-Workspace-Id: ws_….');
  }
  if (own !== undefined && own !== header) {
    throw new ServiceError('workspace_mismatch', 'The API key belongs to another workspace than the one in X-Workspace-Id.');
  }
  return header;
}

function isHeaderOptional(access: Access): boolean {
  return access.kind === 'operator' || (access.kind === 'any_key' && access.workspaceHeader === 'optional');
}

/** What the principal would have to have to be let in. */
function lackedScope(principal: Principal, access: Access): Scope | 'operator' | undefined {
  if (access.kind === 'operator' && principal.kind !== 'operator') return 'operator';
  return access.kind === 'scope' && !hasScope(principal, access.scope) ? access.scope : undefined;
}
