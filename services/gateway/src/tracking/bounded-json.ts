// Whether a JSON value from a client is small and flat enough to be kept with a hit. Pure.
import { isStorable } from '../http/field-schemas.js';

export interface JsonBounds {
  /** Of objects and arrays inside one another. */
  maxDepth: number;
  /** Of objects' members and arrays' items, all levels together. */
  maxEntries: number;
  /** Of a single text or name, in UTF-16 units. */
  maxTextLength: number;
}

/** @returns what is wrong, or null. Stops at the first fault, and never goes deeper than allowed: its own stack is safe. */
export function jsonFault(value: unknown, bounds: JsonBounds): string | null {
  let entries = 0;
  const textFault = (text: string) => {
    if (text.length > bounds.maxTextLength) return `Names and texts may have at most ${bounds.maxTextLength} characters.`;
    return isStorable(text) ? null : 'Must not contain U+0000 or half a surrogate pair.';
  };
  const fault = (part: unknown, depth: number): string | null => {
    if (typeof part === 'string') return textFault(part);
    // JSON can write numbers that a double can't hold: 1e999 is read as Infinity.
    if (typeof part === 'number' && !Number.isFinite(part)) return 'Numbers must be finite.';
    if (typeof part !== 'object' || part === null) return null;
    if (depth >= bounds.maxDepth) return `Must not be nested deeper than ${bounds.maxDepth} levels.`;
    for (const [name, inner] of Object.entries(part)) {
      if (++entries > bounds.maxEntries) return `Must not have more than ${bounds.maxEntries} entries.`;
      const found = textFault(name) ?? fault(inner, depth + 1);
      if (found) return found;
    }
    return null;
  };
  return fault(value, 0);
}
