// An endpoint as the pipeline reads it, and as a delivery carries it.
import { livingSecrets, type SealedSecrets } from '../endpoints/living-secrets.js';
import type { SecretBox } from '../endpoints/secret-box.js';
import type { Target } from './delivery.js';
import type { RetryPolicy } from './retry-policy.js';

export interface EndpointRow extends SealedSecrets {
  workspace_id: string;
  url: string;
  timeout_ms: number;
  retry_policy: RetryPolicy;
  event_types: string[];
  page_ids: string[];
  headers: Record<string, string>;
  rate_limit_per_second: number | null;
  max_in_flight: number | null;
  ordered: boolean;
  /** Set while it is disabled. */
  disabled_at: Date | null;
  paused_until: Date | null;
}

/** For a SELECT from `endpoints p`. */
export const endpointColumns = `p.id AS endpoint_id, p.workspace_id, p.url, p.sealed_secret, p.previous_secrets, p.timeout_ms, p.retry_policy,
  p.event_types, p.page_ids, p.headers, p.rate_limit_per_second, p.max_in_flight, p.ordered, p.disabled_at, p.paused_until`;

export function targetOf(row: EndpointRow, secrets: SecretBox): Target {
  return {
    endpointId: row.endpoint_id,
    url: row.url,
    secrets: livingSecrets(row, secrets),
    timeoutMs: row.timeout_ms,
    retryPolicy: row.retry_policy,
    headers: row.headers,
    rateLimitPerSecond: row.rate_limit_per_second ?? undefined,
    maxInFlight: row.ordered ? 1 : (row.max_in_flight ?? undefined),
    ordered: row.ordered,
    disabledAt: row.disabled_at ?? undefined,
    pausedUntil: row.paused_until ?? undefined,
  };
}
