// Bounds what reports of leaked keys can cost, which anybody may make: so many reports and look-ups per client address and
// minute. Each replica counts for itself. Requests with keys have bounds of their own, which reports leave alone.
import type { Clock } from '@na/service-host';
import { Problem } from '../http/problem.js';
import { AddressMinutes } from './address-minutes.js';

export const maxReportsPerMinute = 30;

/** Different strings that have the form of a key; five times what one report can have. */
export const maxKeysPerMinute = 500;

export class LeakReports {
  private readonly minutes: AddressMinutes<{ reports: number; keys: number }>;

  constructor(clock: Clock) {
    this.minutes = new AddressMinutes(() => ({ reports: 0, keys: 0 }), clock);
  }

  /**
   * Counts a report before anything is done for it: it is carried out whole, or not at all and counts for nothing.
   * @param keys that it will have looked up
   * @throws Problem `rate_limited`
   */
  admit(address: string, keys: number): void {
    const minute = this.minutes.of(address);
    if (minute.reports + 1 > maxReportsPerMinute || minute.keys + keys > maxKeysPerMinute) {
      throw new Problem('rate_limited', `An address may send ${maxReportsPerMinute} reports with ${maxKeysPerMinute} keys in a minute. Nothing of this one was done.`, {
        headers: { 'retry-after': String(this.minutes.secondsLeft(minute)) },
      });
    }
    minute.reports += 1;
    minute.keys += keys;
  }
}
