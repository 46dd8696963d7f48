// The form of TypeIDs: a prefix, and a UUIDv7 in 26 characters of Crockford's base 32.

export const typeIdSuffix = '[0-7][0-9a-hjkmnp-tv-z]{25}';

const suffix = new RegExp(`^${typeIdSuffix}$`);

export function isTypeId(prefix: string, text: string): boolean {
  return text.startsWith(`${prefix}_`) && suffix.test(text.slice(prefix.length + 1));
}
