// How event types are asked for: exact ones, families such as `goal.*`, or everything with `*`. Pure.
import { eventTypes } from './events.js';
import { fault, type Fault } from './fault.js';

/** `goal.*` matches `goal.converted`, not `goal` and not `goals.x`. */
export function matchesPattern(pattern: string, eventType: string): boolean {
  if (pattern === '*' || pattern === eventType) return true;
  return pattern.endsWith('.*') && eventType.startsWith(pattern.slice(0, -1));
}

/** @returns a fault for a pattern that no event type can ever match */
export function eventPatternFaults(pattern: string): Fault[] {
  if (eventTypes.some((type) => matchesPattern(pattern, type))) return [];
  const detail = `"${pattern}" matches no event type. Known are ${eventTypes.join(', ')}; also families such as "goal.*", and "*".`;
  return [fault('unknown_event_type', detail)];
}
