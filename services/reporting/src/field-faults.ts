// What can be wrong with a single field of a request. Pure; the caller gathers the faults and refuses once for all.
import { ServiceError, type FieldFault } from '@na/service-error';

/** @returns a fault when the text is empty, longer than `maxLength` UTF-16 units, or has the one character PostgreSQL can't hold */
export function textFault(pointer: string, text: string, maxLength: number): FieldFault[] {
  if (text.trim() === '') return [{ pointer, code: 'required', detail: 'must not be empty' }];
  if (text.length > maxLength) return [{ pointer, code: 'too_long', detail: `must have at most ${maxLength} characters` }];
  if (text.includes('\0')) return [{ pointer, code: 'invalid', detail: 'must not contain U+0000' }];
  return [];
}

/** @throws ServiceError `invalid_request` naming every fault */
export function refuseFaults(faults: FieldFault[]): void {
  if (faults.length > 0) throw new ServiceError('invalid_request', 'Some fields of the request are not valid.', { fields: faults });
}
