// Validates what a controller method takes against the schema in its @Body, @Query or @Param.
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { notFound, ServiceError } from '@na/service-error';
import type { z } from 'zod';
import { isTypeId } from '../auth/type-id.js';
import { fieldFaults } from './field-faults.js';
import { inPlainWords } from './plain-words.js';
import { queryFaults } from './query-faults.js';

export class SchemaPipe implements PipeTransform {
  transform(value: unknown, { schema, type }: ArgumentMetadata): unknown {
    if (!schema) return value;
    const result = (schema as z.ZodType).safeParse(value, inPlainWords);
    if (result.success) return result.data;
    const { issues } = result.error;
    if (type === 'query') throw new ServiceError('invalid_request', 'The query of the request is not valid.', { fields: queryFaults(issues, value) });
    throw new ServiceError('invalid_request', 'The body of the request is not valid.', { fields: fieldFaults(issues, value) });
  }
}

/** What can not be an id is answered like an id that does not exist, without asking anyone. */
export class IdPipe implements PipeTransform<string, string> {
  constructor(
    readonly prefix: string,
    readonly what: string,
  ) {}

  transform(id: string): string {
    if (!isTypeId(this.prefix, id)) throw notFound(this.what, id);
    return id;
  }
}

export function idPipe(prefix: string, what: string): IdPipe {
  return new IdPipe(prefix, what);
}
