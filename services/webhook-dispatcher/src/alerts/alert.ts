// Something that the owners of an endpoint are to be told, as it waits to be mailed.
import type { HealthSignal } from '../health/endpoint-health.js';

export interface Alert {
  /** The id of the event that says the same. */
  id: string;
  endpointId: string;
  /** Both as they were at the time. They are a customer's text. */
  url: string;
  description: string;
  signal: HealthSignal;
  createdAt: Date;
}

/** A signal out of its JSON, where times are text. */
export function reviveSignal(json: Record<string, unknown>): HealthSignal {
  const times = ['at', 'failingSince', 'disabledAtEarliest'].filter((key) => key in json).map((key) => [key, new Date(json[key] as string)]);
  return { ...json, ...Object.fromEntries(times) } as HealthSignal;
}
