// The event that tells subscribers of a change in an endpoint's health.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { newEvent, type Envelope } from '@na/contracts';
import type { HealthSignal } from './endpoint-health.js';

export interface SignalledEndpoint {
  id: string;
  workspaceId: string;
  url: string;
}

export function eventOf({ id, workspaceId, url }: SignalledEndpoint, signal: HealthSignal, now: Date): Envelope {
  const about = { endpointId: id, url: originOf(url) };
  const failingSince = timestampFromDate(signal.failingSince);
  switch (signal.kind) {
    case 'failing': {
      const { failedAttempts, responseCode, error, disabledAtEarliest } = signal;
      const data = { ...about, failingSince, failedAttempts, responseCode, error, disabledAtEarliest: timestampFromDate(disabledAtEarliest) };
      return newEvent({ type: 'webhook.endpoint.failing', workspaceId, createdAt: now, data });
    }
    case 'disabled': {
      const data = { ...about, reason: signal.reason, disabledAt: timestampFromDate(now) };
      return newEvent({ type: 'webhook.endpoint.disabled', workspaceId, createdAt: now, data });
    }
    case 'recovered': {
      const data = { ...about, failingSince, recoveredAt: timestampFromDate(signal.at) };
      return newEvent({ type: 'webhook.endpoint.recovered', workspaceId, createdAt: now, data });
    }
  }
}

/** Path and query are often what lets one call an address, and these events go to other endpoints: other people's servers. */
function originOf(url: string): string {
  return URL.parse(url)?.origin ?? '';
}
