// Lets a schema ask a rule that the service behind it has too, so that what the rule finds is told beside everything else.
import type { Fault } from '@na/contracts';
import { z } from 'zod';

/**
 * Also of an object or list of which parts are no good already.
 * @param rule is given those parts as they came, whatever their type says
 */
export const judgedBy = <T>(rule: (value: T) => Fault[]) =>
  z.superRefine<T>((value, context) => {
    for (const { path, code, detail } of rule(value)) context.addIssue({ code: 'custom', path: [...path], message: detail, params: { code } });
  }, { when: ({ value }) => value !== undefined && value !== null });
