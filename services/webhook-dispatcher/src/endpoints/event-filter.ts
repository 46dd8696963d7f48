// Which events an endpoint wants: exact types, families such as `goal.*`, or everything with `*`.

export function wantsEvent(patterns: readonly string[], eventType: string): boolean {
  return patterns.some((pattern) => matches(pattern, eventType));
}

/** `goal.*` matches `goal.converted`, not `goal` and not `goals.x`. */
function matches(pattern: string, eventType: string): boolean {
  if (pattern === '*' || pattern === eventType) return true;
  return pattern.endsWith('.*') && eventType.startsWith(pattern.slice(0, -1));
}

/** @returns the patterns that no event type can ever match */
export function unknownPatterns(patterns: readonly string[], eventTypes: readonly string[]): string[] {
  return patterns.filter((pattern) => !eventTypes.some((type) => matches(pattern, type)));
}
