// /api/v1/openapi.json
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '../auth/access.js';
import { plain } from './answer.js';
import { ApiDocument } from './api-document.js';
import { Documented, operations, type Tag } from './operation.js';

const tag: Tag = { name: 'Reference', description: 'What you are reading.' };

const description = plain(
  'OpenApiDocument',
  'This document.',
  z.looseObject({ openapi: z.string().describe('The version of OpenAPI.'), info: z.looseObject({}).describe('What the API is.'), paths: z.looseObject({}).describe('Its operations.') }),
  { openapi: '3.1.0', info: { title: 'Notion Analytics API' }, paths: {} },
);

@Documented(
  tag,
  operations({ read: { id: 'getOpenApi', summary: 'Read this document', description: 'OpenAPI 3.1, made from what runs.', answer: { ...description, isResource: true } } }),
)
@Controller('/api/v1/openapi.json')
export class OpenApiController {
  constructor(private readonly document: ApiDocument) {}

  @Get()
  @Public()
  read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer> {
    return this.document.answer(request, reply);
  }
}
