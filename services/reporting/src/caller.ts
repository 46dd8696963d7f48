// Whose data a request is about. The gateway fills the caller from the verified key; nothing is answered without it.
import type { Caller } from '@na/contracts';
import { ServiceError } from '@na/service-error';

export function workspaceOf({ caller }: { caller?: Caller }): string {
  if (!caller?.workspaceId) throw new ServiceError('workspace_required', 'The request names no workspace.');
  return caller.workspaceId;
}
