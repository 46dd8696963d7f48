// Says what is wrong with the parameters of a query. Each is given once, which is told to whoever gives a list. Pure.
import type { FieldFault } from '@na/service-error';
import type { z } from 'zod';
import { fieldFaults, maxFaults } from './field-faults.js';

export function queryFaults(issues: readonly z.core.$ZodIssue[], query: unknown): FieldFault[] {
  const valueOf = ({ path: [name] }: z.core.$ZodIssue) => (query as Record<PropertyKey, unknown> | undefined)?.[name ?? ''];
  return issues.flatMap((issue) => fieldFaults([issue], query).map((found) => withOneValue(found, valueOf(issue)))).slice(0, maxFaults);
}

/** @param value a list where the parameter stood in the query more than once */
function withOneValue(found: FieldFault, value: unknown): FieldFault {
  if (Array.isArray(value)) return { ...found, code: 'repeated_parameter', detail: 'Give this parameter once: it takes one value.' };
  if (typeof value !== 'string' || !value.includes(',')) return found;
  return { ...found, detail: `${found.detail} Give it once, with one value: lists are not taken.` };
}
