// KeyService on the bus.
import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import {
  KeyService,
  type CreateKeyRequest,
  type GetKeyRequest,
  type Key,
  type ListKeysRequest,
  type RecordKeyUseRequest,
  type RevokeKeyRequest,
  type RevokeLeakedKeyRequest,
  type RotateKeyRequest,
  type UpdateKeyRequest,
  type VerifyKeyRequest,
} from '@na/contracts';
import { boundedLimit, RpcMethod } from '@na/messaging';
import { callerOf, callerInWorkspace } from '../caller.js';
import { toProto, type ApiKey } from './api-key.entity.js';
import { digestOf, filterOf, newKeyOf, patchOf } from './key-requests.js';
import { KeyUses } from './key-use.js';
import { Keys } from './keys.js';
import { Revocation } from './revocation.js';
import { Verifier } from './verification.js';

@Controller()
export class KeysRpc {
  constructor(
    private readonly keys: Keys,
    private readonly revocation: Revocation,
    private readonly verifier: Verifier,
    private readonly uses: KeyUses,
  ) {}

  @RpcMethod(KeyService.method.createKey)
  async createKey(request: CreateKeyRequest) {
    const { key, isRepeat } = await this.keys.create(callerOf(request), newKeyOf(request), request.isRepeat);
    return { key: this.show(key), isRepeat };
  }

  @RpcMethod(KeyService.method.getKey)
  async getKey(request: GetKeyRequest) {
    return { key: this.show(await this.keys.get(callerInWorkspace(request), request.id)) };
  }

  @RpcMethod(KeyService.method.listKeys)
  async listKeys(request: ListKeysRequest) {
    const limit = boundedLimit(request.limit);
    const keys = await this.keys.list(callerInWorkspace(request), filterOf(request), { after: request.after, limit });
    return { keys: keys.slice(0, limit).map((key) => this.show(key)), hasMore: keys.length > limit };
  }

  @RpcMethod(KeyService.method.updateKey)
  async updateKey(request: UpdateKeyRequest) {
    return { key: this.show(await this.keys.update(callerInWorkspace(request), request.id, patchOf(request), request.ifMatch)) };
  }

  @RpcMethod(KeyService.method.rotateKey)
  async rotateKey(request: RotateKeyRequest) {
    const { id, lastFour, overlapSeconds, ifMatch } = request;
    const rotation = { rotationId: request.rotationId || randomUUID(), secretDigest: digestOf(request), lastFour, overlapSeconds };
    const { key, isRepeat } = await this.keys.rotate(callerInWorkspace(request), id, rotation, ifMatch);
    return { key: this.show(key), isRepeat };
  }

  @RpcMethod(KeyService.method.revokeKey)
  async revokeKey(request: RevokeKeyRequest) {
    return { key: this.show(await this.revocation.revoke(callerInWorkspace(request), request.id, request.ifMatch)) };
  }

  @RpcMethod(KeyService.method.revokeLeakedKey)
  async revokeLeakedKey(request: RevokeLeakedKeyRequest) {
    return { revoked: await this.revocation.revokeLeaked(request.keyId, digestOf(request), request) };
  }

  @RpcMethod(KeyService.method.verifyKey)
  verifyKey(request: VerifyKeyRequest) {
    return this.verifier.verify(request.keyId, digestOf(request));
  }

  @RpcMethod(KeyService.method.recordKeyUse)
  async recordKeyUse(request: RecordKeyUseRequest) {
    await this.uses.record(request.uses);
    return {};
  }

  private show(key: ApiKey): Key {
    return toProto(key, this.keys.now());
  }
}
