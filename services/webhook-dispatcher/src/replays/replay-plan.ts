// What a replay may be asked for, and what it is when little is said. Pure.
import { eventPatternFaults, faultsIn, fieldFault, replayUntil, replayWindowFaults } from '@na/contracts';
import { ServiceError, type FieldFault } from '@na/service-error';
import type { DeliveryStatus } from '../deliveries/delivery.js';

export interface WantedReplay {
  since: Date;
  until: Date;
  /** Empty means failed alone, unless nothing but what was missed is wanted. */
  statuses: string[];
  /** Patterns as in an endpoint's event types; empty means all. */
  eventTypes: string[];
  includeMissed: boolean;
  onlyMissed: boolean;
  /** 1 to 1,000; 50 unless given. */
  ratePerSecond?: number;
  dryRun: boolean;
}

export interface ReplayPlan extends Omit<WantedReplay, 'onlyMissed'> {
  statuses: DeliveryStatus[];
  ratePerSecond: number;
}

const maxRatePerSecond = 1_000;
const defaultRatePerSecond = 50;
const allStatuses: string[] = ['pending', 'retrying', 'succeeded', 'failed', 'cancelled'] satisfies DeliveryStatus[];

/** @throws ServiceError invalid_request with every fault */
export function planReplay(wanted: WantedReplay, now: Date): ReplayPlan {
  const fields = [...replayWindowFaults(wanted, now).map(fieldFault), ...choiceFaults(wanted)];
  if (fields.length > 0) throw new ServiceError('invalid_request', 'The replay can not be made like this.', { fields });
  const { onlyMissed, statuses, ...rest } = wanted;
  return {
    ...rest,
    until: replayUntil(wanted.until, now),
    statuses: statuses.length > 0 || onlyMissed ? (statuses as DeliveryStatus[]) : ['failed'],
    ratePerSecond: wanted.ratePerSecond ?? defaultRatePerSecond,
  };
}

function choiceFaults({ statuses, eventTypes, includeMissed, onlyMissed, ratePerSecond = defaultRatePerSecond }: WantedReplay): FieldFault[] {
  const unknownTypes = eventTypes.flatMap((pattern, index) => faultsIn(index, eventPatternFaults(pattern)));
  const faults = faultsIn('event_types', unknownTypes).map(fieldFault);
  const unknown = statuses.findIndex((status) => !allStatuses.includes(status));
  if (unknown >= 0) faults.push({ pointer: `/statuses/${unknown}`, code: 'unknown_status', detail: `Must be one of ${allStatuses.join(', ')}.` });
  if (onlyMissed && (statuses.length > 0 || !includeMissed)) faults.push({ pointer: '/statuses', code: 'too_many', detail: 'Must be empty where only what was missed is wanted, with include_missed.' });
  if (!Number.isInteger(ratePerSecond) || ratePerSecond < 1 || ratePerSecond > maxRatePerSecond) {
    faults.push({ pointer: '/rate_per_second', code: 'out_of_range', detail: `Must be a whole number from 1 to ${maxRatePerSecond}.` });
  }
  return faults;
}
