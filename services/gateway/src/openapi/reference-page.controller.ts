// /docs/api: the reference as a page to read and to try out.
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ServiceError } from '@na/service-error';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../auth/access.js';
import { referenceFiles, referencePage } from './reference-files.js';

/** Nothing but files from here, and requests to here. Swagger UI draws its icons from data: addresses in its style sheet. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

@Controller('/docs/api')
export class ReferencePageController {
  @Get()
  @Public()
  page(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer> {
    void reply.header('content-security-policy', policy);
    return referencePage.answer(request, reply);
  }

  @Get(':file')
  @Public()
  file(@Param('file') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer> {
    const file = referenceFiles.get(name);
    if (!file) throw new ServiceError('not_found', 'There is nothing at this address.');
    return file.answer(request, reply);
  }
}
