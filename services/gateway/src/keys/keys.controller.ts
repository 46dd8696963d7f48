// /api/v1/keys. Secrets are made here, shown in one answer and kept nowhere: only their digests go on.
import { randomBytes } from 'node:crypto';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { KeySchema, type Caller } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { AnyKey, Scoped } from '../auth/access.js';
import { By, From } from '../auth/identity.js';
import { makeKey, secretBytes } from '../auth/key-material.js';
import type { Principal } from '../auth/principal.js';
import { IfMatch } from '../http/if-match.js';
import { Lists } from '../http/lists.js';
import { resource } from '../http/resource.js';
import { idPipe } from '../http/schema-pipe.js';
import { IsRepeat, NewId } from '../idempotency/new-id.js';
import { Documented } from '../openapi/operation.js';
import { Services } from '../services.js';
import { barrierMs } from '../slow-calls.js';
import { keyFilters, keyPatchToProto, newKeyToProto } from './key-requests.js';
import { keyOperations, keysTag } from './keys.reference.js';
import { keyPatch, keysQuery, newKey, rotation, type KeyPatch, type KeysQuery, type NewKey, type Rotation } from './keys.schema.js';

const keyId = idPipe('key', 'key');
const defaultOverlapSeconds = 86_400;

@Documented(keysTag, keyOperations)
@Controller('/api/v1/keys')
export class KeysController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  @Post()
  @Scoped('keys:write')
  async create(@From() caller: Caller, @NewId('key') id: string, @IsRepeat() isRepeat: boolean, @Body({ schema: newKey }) wanted: NewKey) {
    const { credential, secretDigest, lastFour } = makeKey(id, randomBytes(secretBytes));
    const request = { caller, id, workspaceId: caller.workspaceId, secretDigest, lastFour, isRepeat, ...newKeyToProto(wanted) };
    const made = await this.services.keys.createKey(request);
    return resource(KeySchema, made.key!, { secret: made.isRepeat ? null : credential });
  }

  @Get()
  @Scoped('keys:read')
  list(@From() caller: Caller, @Query({ schema: keysQuery }) query: KeysQuery) {
    return this.lists.answer('keys', caller, query, async (at) => {
      const { keys, hasMore } = await this.services.keys.listKeys({ caller, ...at, ...keyFilters(query) });
      return { schema: KeySchema, items: keys, hasMore };
    });
  }

  @Get('current')
  @AnyKey()
  current(@From() caller: Caller, @By() principal: Principal) {
    if (principal.kind !== 'key') throw new ServiceError('not_found', 'The operator token is not an API key.');
    return this.get(caller, principal.verdict.keyId);
  }

  @Get(':id')
  @Scoped('keys:read')
  async get(@From() caller: Caller, @Param('id', keyId) id: string) {
    const { key } = await this.services.keys.getKey({ caller, id });
    return resource(KeySchema, key!);
  }

  @Patch(':id')
  @Scoped('keys:write')
  async update(
    @From() caller: Caller,
    @Param('id', keyId) id: string,
    @IfMatch() ifMatch: string | undefined,
    @Body({ schema: keyPatch }) patch: KeyPatch,
  ) {
    const request = { caller, id, ifMatch, ...keyPatchToProto(patch) };
    const { key } = await this.services.keys.updateKey(request, { timeoutMs: barrierMs });
    return resource(KeySchema, key!);
  }

  @Post(':id/rotate')
  @HttpCode(200)
  @Scoped('keys:write')
  async rotate(
    @From() caller: Caller,
    @NewId('rotation') rotationId: string,
    @Param('id', keyId) id: string,
    @IfMatch() ifMatch: string | undefined,
    @Body({ schema: rotation }) wanted: Rotation,
  ) {
    const { credential, secretDigest, lastFour } = makeKey(id, randomBytes(secretBytes));
    const overlapSeconds = wanted?.overlap_seconds ?? defaultOverlapSeconds;
    const request = { caller, id, ifMatch, rotationId, secretDigest, lastFour, overlapSeconds };
    const { key, isRepeat } = await this.services.keys.rotateKey(request, { timeoutMs: barrierMs });
    return resource(KeySchema, key!, { secret: isRepeat ? null : credential });
  }

  /** A revoked key stays listed: what it did in its time must remain explainable. */
  @Delete(':id')
  @Scoped('keys:write')
  async revoke(@From() caller: Caller, @Param('id', keyId) id: string, @IfMatch() ifMatch: string | undefined) {
    const { key } = await this.services.keys.revokeKey({ caller, id, ifMatch }, { timeoutMs: barrierMs });
    return resource(KeySchema, key!);
  }
}
