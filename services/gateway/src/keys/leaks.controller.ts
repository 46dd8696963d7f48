// /api/v1/keys/leaked
import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public } from '../auth/access.js';
import { Documented } from '../openapi/operation.js';
import { keysTag } from './keys.reference.js';
import { leakReport, type LeakReport } from './keys.schema.js';
import { Leaks } from './leaks.js';
import { leakOperations } from './leaks.reference.js';

@Documented(keysTag, leakOperations)
@Controller('/api/v1/keys/leaked')
export class LeaksController {
  constructor(private readonly leaks: Leaks) {}

  /** The answer is the same whatever was reported. */
  @Post()
  @HttpCode(202)
  @Public()
  async report(@Req() { ip, id }: FastifyRequest, @Body({ schema: leakReport }) reported: LeakReport) {
    await this.leaks.take(reported, { address: ip, requestId: id });
    return { status: 'received' };
  }
}
