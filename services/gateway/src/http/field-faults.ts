// Says what is wrong with single fields of a request, from what the schema found. Pure.
import { pointerTo } from '@na/contracts';
import type { FieldFault } from '@na/service-error';
import { redact } from '@na/service-host';
import type { z } from 'zod';

/** A body can have as many faults as it has bytes; this many are enough to mend it by. */
export const maxFaults = 50;

/** @param prefix JSON Pointer of `input` inside the whole body */
export function fieldFaults(issues: readonly z.core.$ZodIssue[], input: unknown, prefix = ''): FieldFault[] {
  return issues.flatMap((issue) => faultsOf(issue, input, prefix)).slice(0, maxFaults);
}

/** Schemas name their own rules with `params: { code }`. */
function faultsOf(issue: z.core.$ZodIssue, input: unknown, prefix: string): FieldFault[] {
  const pointer = prefix + pointerOf(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ pointer: pointer + pointerOf([key]), code: 'unknown_field', detail: 'There is no such field.' }));
    case 'invalid_type':
    case 'invalid_value':
      if (valueAt(input, issue.path) === undefined) return [{ pointer, code: 'required', detail: 'This field is required.' }];
      return [{ pointer, code: issue.code, detail: issue.message }];
    case 'custom':
      return [{ pointer, code: String(issue.params?.code ?? 'invalid_value'), detail: issue.message }];
    default:
      return [{ pointer, code: issue.code, detail: issue.message }];
  }
}

/** A name is the client's own, and may be a key that got to the wrong place. */
function pointerOf(path: readonly PropertyKey[]): string {
  return pointerTo(path.map((part) => redact(String(part))));
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | null | undefined)?.[part], input);
}
