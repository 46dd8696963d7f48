// /api/v1/keys
import { randomBytes } from 'node:crypto';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { KeySchema, publicJson, type Caller } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { typeid } from 'typeid-js';
import { AnyKey, Scoped } from '../auth/access.js';
import { By, From } from '../auth/identity.js';
import { makeKey, secretBytes } from '../auth/key-material.js';
import type { Principal } from '../auth/principal.js';
import { listQuery, Lists, type ListQuery } from '../http/lists.js';
import { idPipe } from '../http/schema-pipe.js';
import { Services } from '../services.js';
import { newKey, type NewKey } from './keys.schema.js';

@Controller('/api/v1/keys')
export class KeysController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  /** The secret is made here, shown in this answer and kept nowhere: only its digest goes on. */
  @Post()
  @Scoped('keys:write')
  async create(@From() caller: Caller, @By() maker: Principal, @Body({ schema: newKey }) wanted: NewKey) {
    const { keyId, credential, secretDigest, lastFour } = makeKey(typeid('key').toString(), randomBytes(secretBytes));
    const { key } = await this.services.keys.createKey({
      caller,
      id: keyId,
      workspaceId: caller.workspaceId,
      name: wanted.name,
      scopes: wanted.scopes,
      expiresAt: wanted.expires_at ? timestampFromDate(wanted.expires_at) : undefined,
      secretDigest,
      lastFour,
      ...limitsOf(maker),
    });
    return { ...publicJson(KeySchema, key!), secret: credential };
  }

  @Get()
  @Scoped('keys:read')
  list(@From() caller: Caller, @Query({ schema: listQuery }) query: ListQuery) {
    return this.lists.answer('keys', caller, query, async (at) => {
      const { keys, hasMore } = await this.services.keys.listKeys({ caller, ...at });
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
  async get(@From() caller: Caller, @Param('id', idPipe('key', 'key')) id: string) {
    const { key } = await this.services.keys.getKey({ caller, id });
    return publicJson(KeySchema, key!);
  }

  /** A revoked key stays listed: what it did in its time must remain explainable. */
  @Delete(':id')
  @Scoped('keys:write')
  async revoke(@From() caller: Caller, @Param('id', idPipe('key', 'key')) id: string) {
    const { key } = await this.services.keys.revokeKey({ caller, id });
    return publicJson(KeySchema, key!);
  }
}

/** What a new key must not exceed. */
function limitsOf(maker: Principal) {
  if (maker.kind === 'operator') return {};
  return { callerScopes: maker.verdict.scopes, callerExpiresAt: maker.verdict.expiresAt };
}
