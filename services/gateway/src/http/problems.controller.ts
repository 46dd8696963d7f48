// The addresses in the `type` of problem documents: what each code means, when it comes and how to mend it, as JSON or, for
// a browser, as a page.
import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { errorCodes, isErrorCode, ServiceError, type ErrorCode } from '@na/service-error';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/access.js';
import { problemIndexPage, problemPage, problemPagePolicy, type ProblemDescription } from './problem-page.js';
import { problemTexts } from './problem-texts.js';
import { describeCode } from './problem.js';
import { PublicUrl } from './public-url.js';

/** They change with a release. */
const caching = 'public, max-age=3600';

@Controller('/problems')
export class ProblemsController {
  constructor(private readonly publicUrl: PublicUrl) {}

  @Get()
  @Public()
  list(@Headers('accept') accept: string | undefined, @Res({ passthrough: true }) reply: FastifyReply) {
    const data = Object.keys(errorCodes).filter(isErrorCode).map((code) => this.describe(code));
    return present(accept, reply, { data }, () => problemIndexPage(data));
  }

  @Get(':code')
  @Public()
  one(@Param('code') code: string, @Headers('accept') accept: string | undefined, @Res({ passthrough: true }) reply: FastifyReply) {
    if (!isErrorCode(code)) throw new ServiceError('not_found', 'There is no such problem.');
    const description = this.describe(code);
    return present(accept, reply, description, () => problemPage(description));
  }

  private describe(code: ErrorCode): ProblemDescription {
    const { occurs, remedy } = problemTexts[code];
    return { ...describeCode(code, this.publicUrl.base), occurs, remedy };
  }
}

/** Browsers name text/html among what they accept; clients of the API don't. */
function present(accept: string | undefined, reply: FastifyReply, json: object, page: () => string): object | string {
  void reply.headers({ 'cache-control': caching, vary: 'accept' });
  if (!accept?.includes('text/html')) return json;
  void reply.type('text/html; charset=utf-8').header('content-security-policy', problemPagePolicy);
  return page();
}
