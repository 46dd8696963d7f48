// Refuses queries whose percent-encoding can't be decoded: they would be searched for as they stand, and nothing be found.
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

export function refuseBrokenQuery({ url }: FastifyRequest): void {
  const start = url.indexOf('?');
  if (start === -1 || !url.includes('%', start)) return;
  try {
    decodeURIComponent(url.slice(start));
  } catch {
    throw new Problem('invalid_request', 'The query is not valid: its percent-encoding is not that of UTF-8.');
  }
}
