// What every request passes before anything is done for it, in this order: credential → key verdict → workspace → scope.
// It runs before the body is read, so that a stranger can't make us parse one. Schema validation and the one RPC follow
// in the controllers; the request id and the log line are set around it in server.ts.
import { create } from '@bufbuild/protobuf';
import { CallerSchema } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import type { FastifyRequest } from 'fastify';
import type { Access } from '../auth/access.js';
import { credentialRequired, insufficientScope, invalidToken } from '../auth/challenge.js';
import { readCredential } from '../auth/credential.js';
import type { Identity } from '../auth/identity.js';
import type { OperatorToken } from '../auth/operator-token.js';
import { actorOf, hasScope, type Principal } from '../auth/principal.js';
import { isTypeId } from '../auth/type-id.js';
import type { Verdicts } from '../auth/verdicts.js';

export class Pipeline {
  constructor(
    private readonly verdicts: Verdicts,
    private readonly operatorToken: OperatorToken,
  ) {}

  /** @throws ServiceError that refuses the request */
  async admit(request: FastifyRequest, access: Access): Promise<Identity> {
    const principal = await this.authenticate(request);
    const workspaceId = workspaceOf(principal, request.headers['x-workspace-id'], access);
    checkAccess(principal, access);
    const caller = create(CallerSchema, { workspaceId, actor: actorOf(principal), address: request.ip, requestId: request.id });
    return { principal, caller };
  }

  private async authenticate(request: FastifyRequest): Promise<Principal> {
    const credential = readCredential(request.raw.rawHeaders, request.query as object);
    switch (credential.kind) {
      case 'none':
        throw credentialRequired();
      case 'ambiguous':
        throw new ServiceError('invalid_request', credential.detail);
      case 'malformed':
        throw invalidToken();
      case 'token':
        if (!this.operatorToken.matches(credential.token)) throw invalidToken();
        return { kind: 'operator' };
      case 'key':
        return { kind: 'key', verdict: await this.verdicts.of(credential.material) };
    }
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

function checkAccess(principal: Principal, access: Access): void {
  if (access.kind === 'operator' && principal.kind !== 'operator') throw insufficientScope('operator');
  if (access.kind === 'scope' && !hasScope(principal, access.scope)) throw insufficientScope(access.scope);
}
