// What a new page is made of, and what can be wrong with it. Pure.
import type { FieldFault } from '@na/service-error';
import { textFault } from '../field-faults.js';
import { maxUrlLength, normalisePageUrl } from './page-url.js';

export interface PageDraft {
  /** The same in each try of one request; empty for one that is chosen here. */
  id: string;
  url: string;
  /** Empty when it has none. */
  title: string;
  /** IANA name; unset means the workspace's. */
  timeZone?: string;
}

const maxTitleLength = 500;

export function pageDraftFaults({ url, title, timeZone }: PageDraft): FieldFault[] {
  const faults = title === '' ? [] : textFault('/title', title, maxTitleLength);
  if (normalisePageUrl(url) === undefined) {
    const detail = `must be an absolute http or https URL of at most ${maxUrlLength} characters, without credentials`;
    faults.push({ pointer: '/url', code: 'invalid', detail });
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    faults.push({ pointer: '/time_zone', code: 'invalid', detail: 'must be an IANA time zone such as Europe/Berlin' });
  }
  return faults;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
