// If-Match, judged on what is locked: what the caller has read is what is changed, or nothing is.
import { ifMatchHolds } from '@na/contracts';
import { ServiceError } from '@na/service-error';

/** @throws ServiceError `precondition_failed` */
export function checkIfMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined || ifMatchHolds(ifMatch, etag)) return;
  throw new ServiceError('precondition_failed', 'It has changed since it was read. Read it again, then decide anew.');
}
