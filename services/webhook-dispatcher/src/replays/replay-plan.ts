// What a replay may be asked for, and what it is when little is said. Pure.
import { eventTypes as knownEventTypes } from '@na/contracts';
import { ServiceError, type FieldFault } from '@na/service-error';
import type { DeliveryStatus } from '../deliveries/delivery.js';
import { unknownPatterns } from '../endpoints/event-filter.js';

export interface WantedReplay {
  since: Date;
  until: Date;
  /** Empty means failed alone. */
  statuses: string[];
  /** Patterns as in an endpoint's event types; empty means all. */
  eventTypes: string[];
  includeMissed: boolean;
  /** 1 to 1,000; 50 unless given. */
  ratePerSecond?: number;
  dryRun: boolean;
}

export interface ReplayPlan extends WantedReplay {
  statuses: DeliveryStatus[];
  ratePerSecond: number;
}

export const maxWindowDays = 31;
export const maxRatePerSecond = 1_000;
const defaultRatePerSecond = 50;
const dayMs = 86_400_000;
const allStatuses: string[] = ['pending', 'retrying', 'succeeded', 'failed', 'cancelled'] satisfies DeliveryStatus[];

/**
 * The window ends now at the latest: what happens later is delivered anyway.
 * @throws ServiceError invalid_request with every fault
 */
export function planReplay(wanted: WantedReplay, now: Date): ReplayPlan {
  const until = wanted.until > now ? now : wanted.until;
  const fields = [...windowFaults(wanted.since, until), ...choiceFaults(wanted)];
  if (fields.length > 0) throw new ServiceError('invalid_request', 'The replay can not be made like this.', { fields });
  return {
    ...wanted,
    until,
    statuses: wanted.statuses.length > 0 ? (wanted.statuses as DeliveryStatus[]) : ['failed'],
    ratePerSecond: wanted.ratePerSecond ?? defaultRatePerSecond,
  };
}

function windowFaults(since: Date, until: Date): FieldFault[] {
  if (since >= until) return [{ pointer: '/since', code: 'invalid_window', detail: 'Must lie before until, and in the past.' }];
  const isTooLong = until.getTime() - since.getTime() > maxWindowDays * dayMs;
  return isTooLong ? [{ pointer: '/since', code: 'window_too_long', detail: `Must lie at most ${maxWindowDays} days before until.` }] : [];
}

function choiceFaults({ statuses, eventTypes, ratePerSecond = defaultRatePerSecond }: WantedReplay): FieldFault[] {
  const faults: FieldFault[] = unknownPatterns(eventTypes, knownEventTypes).map((pattern) => ({
    pointer: `/event_types/${eventTypes.indexOf(pattern)}`,
    code: 'unknown_event_type',
    detail: `"${pattern}" matches no event type.`,
  }));
  const unknown = statuses.findIndex((status) => !allStatuses.includes(status));
  if (unknown >= 0) faults.push({ pointer: `/statuses/${unknown}`, code: 'unknown_status', detail: `Must be one of ${allStatuses.join(', ')}.` });
  if (!Number.isInteger(ratePerSecond) || ratePerSecond < 1 || ratePerSecond > maxRatePerSecond) {
    faults.push({ pointer: '/rate_per_second', code: 'out_of_range', detail: `Must be a whole number from 1 to ${maxRatePerSecond}.` });
  }
  return faults;
}
