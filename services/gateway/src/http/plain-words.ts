// What is wrong with a value, in words for people who have never heard of the validator. A schema's own text goes before. Pure.
import type { z } from 'zod';

/** To be given to every `safeParse` of what a client has sent. */
export const inPlainWords = { error: plainWords };

/** @returns undefined where the validator's own text has to do */
function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return types[issue.expected];
    case 'invalid_value':
      return `Must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}.`;
    case 'invalid_format':
      return formats[issue.format];
    case 'too_small':
      return tooSmall(issue.origin, issue.minimum);
    case 'too_big':
      return tooBig(issue.origin, issue.maximum);
    default:
      return undefined;
  }
}

const types: Record<string, string> = {
  array: 'Must be a list.',
  boolean: 'Must be true or false.',
  int: 'Must be a whole number.',
  number: 'Must be a number.',
  object: 'Must be an object.',
  record: 'Must be an object.',
  string: 'Must be text.',
};

const formats: Record<string, string> = { email: 'Must be an e-mail address.', ipv4: 'Must be an IPv4 address.', ipv6: 'Must be an IPv6 address.', url: 'Must be a URL.' };

/** What texts and lists are counted in. */
const units: Record<string, [one: string, many: string]> = { string: ['character', 'characters'], array: ['entry', 'entries'] };

function tooSmall(origin: string, minimum: number | bigint): string {
  if (!units[origin]) return `Must be at least ${minimum}.`;
  return Number(minimum) === 1 ? 'Must not be empty.' : `Must have at least ${counted(origin, minimum)}.`;
}

function tooBig(origin: string, maximum: number | bigint): string {
  return units[origin] ? `Must have at most ${counted(origin, maximum)}.` : `Must be at most ${maximum}.`;
}

function counted(origin: string, count: number | bigint): string {
  const [one, many] = units[origin]!;
  return `${count} ${Number(count) === 1 ? one : many}`;
}
