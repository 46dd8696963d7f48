// The addresses in the `type` of problem documents: what each code means.
import { Controller, Get, Param } from '@nestjs/common';
import { errorCodes, isErrorCode, ServiceError } from '@na/service-error';
import { Public } from '../auth/access.js';
import { describeCode } from './problem.js';
import { PublicUrl } from './public-url.js';

@Controller('/problems')
export class ProblemsController {
  constructor(private readonly publicUrl: PublicUrl) {}

  @Get()
  @Public()
  list() {
    return { data: Object.keys(errorCodes).filter(isErrorCode).map((code) => describeCode(code, this.publicUrl.base)) };
  }

  @Get(':code')
  @Public()
  describe(@Param('code') code: string) {
    if (!isErrorCode(code)) throw new ServiceError('not_found', 'There is no such problem.');
    return describeCode(code, this.publicUrl.base);
  }
}
