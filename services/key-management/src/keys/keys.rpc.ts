// KeyService on the bus.
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import {
  KeyService,
  type CreateKeyRequest,
  type GetKeyRequest,
  type Key,
  type ListKeysRequest,
  type RevokeKeyRequest,
  type VerifyKeyRequest,
} from '@na/contracts';
import { RpcMethod } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import { callerOf } from '../caller.js';
import { toProto, toVerdict, type ApiKey } from './api-key.entity.js';
import { digestBytes } from './key-digest.js';
import { Keys } from './keys.js';

const maxListed = 100;

@Controller()
export class KeysRpc {
  constructor(private readonly keys: Keys) {}

  @RpcMethod(KeyService.method.createKey)
  async createKey(request: CreateKeyRequest) {
    const { callerScopes, callerExpiresAt, expiresAt, id, workspaceId, name, scopes, lastFour } = request;
    const wanted = { id, workspaceId, name, scopes, lastFour, expiresAt: dateOf(expiresAt), secretDigest: digestOf(request) };
    return { key: this.show(await this.keys.create(callerOf(request), wanted, { scopes: callerScopes, expiresAt: dateOf(callerExpiresAt) })) };
  }

  @RpcMethod(KeyService.method.getKey)
  async getKey(request: GetKeyRequest) {
    return { key: this.show(await this.keys.get(callerOf(request), request.id)) };
  }

  @RpcMethod(KeyService.method.listKeys)
  async listKeys(request: ListKeysRequest) {
    const limit = Math.min(Math.max(request.limit, 1), maxListed);
    const keys = await this.keys.list(callerOf(request), limit, request.after);
    return { keys: keys.slice(0, limit).map((key) => this.show(key)), hasMore: keys.length > limit };
  }

  @RpcMethod(KeyService.method.revokeKey)
  async revokeKey(request: RevokeKeyRequest) {
    return { key: this.show(await this.keys.revoke(callerOf(request), request.id)) };
  }

  @RpcMethod(KeyService.method.verifyKey)
  async verifyKey(request: VerifyKeyRequest) {
    const verification = await this.keys.verify(request.keyId, digestOf(request));
    return { status: verification.status, verdict: 'key' in verification ? toVerdict(verification.key) : undefined };
  }

  private show(key: ApiKey): Key {
    return toProto(key, this.keys.now());
  }
}

function digestOf({ secretDigest }: { secretDigest: Uint8Array }): Uint8Array {
  if (secretDigest.length !== digestBytes) throw new ServiceError('invalid_request', `secret_digest must be ${digestBytes} bytes.`);
  return secretDigest;
}

function dateOf(timestamp: Timestamp | undefined): Date | null {
  return timestamp ? timestampDate(timestamp) : null;
}
