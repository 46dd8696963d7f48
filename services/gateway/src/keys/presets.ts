// The named sets of scopes that a key may be given instead of a list. Pure.
import { scopes, type Scope } from '@na/contracts';

export const presetNames = ['read_only', 'read_write'] as const;

export type Preset = (typeof presetNames)[number];

/** What keys and workspaces may do is given by name only. Whoever may write may also track: hits are what a page's owner writes. */
export function scopesOf(preset: Preset): Scope[] {
  const reads = scopes.filter((scope) => scope.endsWith(':read') && scope !== 'keys:read');
  if (preset === 'read_only') return reads;
  const writes = scopes.filter((scope) => scope.endsWith(':write') && scope !== 'keys:write' && scope !== 'workspaces:write');
  return [...reads, ...writes];
}
