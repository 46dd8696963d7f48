// What every service asks of a request before it reads a table: whose data it is about, and how much of it at most.
import type { Caller } from '@na/contracts';
import { ServiceError } from '@na/service-error';

const maxLimit = 100;

/** @throws ServiceError `workspace_required` */
export function workspaceOf(caller: Caller | undefined): string {
  if (!caller?.workspaceId) throw new ServiceError('workspace_required', 'The request names no workspace.');
  return caller.workspaceId;
}

/** 1 to 100, whatever was asked for. */
export function boundedLimit(limit: number): number {
  return Math.min(maxLimit, Math.max(1, limit));
}
