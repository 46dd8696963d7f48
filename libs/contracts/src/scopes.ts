// The closed list of what a key may be allowed to do. A scope is granted by name; none includes another.

const resources = ['workspaces', 'pages', 'reports', 'funnels', 'goals', 'exports', 'insights', 'webhooks', 'keys'] as const;

export type Scope = `${(typeof resources)[number]}:${'read' | 'write'}` | 'track:write';

export const scopes: readonly Scope[] = [...resources.flatMap((resource) => [`${resource}:read`, `${resource}:write`] as const), 'track:write'];

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
