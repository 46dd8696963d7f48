// What may be set of a workspace. Pure.
import { ServiceError } from '@na/service-error';

export interface WorkspaceSettings {
  name: string;
  /** IANA name. */
  timeZone: string;
  ownerEmails: string[];
}

const propertyOf: Record<string, keyof WorkspaceSettings> = { name: 'name', time_zone: 'timeZone', owner_emails: 'ownerEmails' };

/** What of `given` is named by `fields`. @throws ServiceError for a field that can't be changed */
export function settingsOf(fields: string[], given: WorkspaceSettings): Partial<WorkspaceSettings> {
  const entries = fields.map((field) => {
    const property = Object.hasOwn(propertyOf, field) ? propertyOf[field] : undefined;
    if (!property) throw faultAt(`/${field}`, 'read_only', 'Can not be changed.');
    return [property, given[property]];
  });
  return Object.fromEntries(entries) as Partial<WorkspaceSettings>;
}

/** @throws ServiceError `invalid_request` with a pointer to what is no time zone */
export function checkSettings({ timeZone }: Partial<WorkspaceSettings>): void {
  if (timeZone === undefined || isTimeZone(timeZone)) return;
  throw faultAt('/time_zone', 'unknown_time_zone', 'Must be an IANA time zone such as Europe/Berlin.');
}

function faultAt(pointer: string, code: string, detail: string): ServiceError {
  return new ServiceError('invalid_request', 'The workspace can not be like this.', { fields: [{ pointer, code, detail }] });
}

/** Offsets such as +01:00, which Intl takes too, are no zones: they know no summer time. */
function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
