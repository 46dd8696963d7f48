// The settings of a webhook on their way to the dispatcher: whole, or as a patch that names what changes. Pure.
import type { NewWebhook, WebhookPatch } from './webhooks.schema.js';

export function settingsToProto(wanted: NewWebhook | WebhookPatch) {
  return {
    url: wanted.url,
    description: wanted.description ?? undefined,
    eventTypes: wanted.event_types,
    retryPolicy: wanted.retry_policy ? policyToProto(wanted.retry_policy) : undefined,
    timeoutMs: wanted.timeout_ms ?? undefined,
    pageIds: wanted.page_ids ?? undefined,
    headers: withoutNulls(wanted.headers ?? {}),
    rateLimitPerSecond: wanted.rate_limit_per_second ?? undefined,
    maxInFlight: wanted.max_in_flight ?? undefined,
    ordered: wanted.ordered ?? undefined,
  };
}

/** What is named and null is unset in `settings`, which the dispatcher takes for its default, or for a header to go. */
export function patchToProto(patch: WebhookPatch) {
  const fields = Object.entries(patch).flatMap(([name, value]) => {
    const isNested = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isNested ? Object.keys(value).map((part) => `${name}.${part}`) : [name];
  });
  return { settings: settingsToProto(patch), fields };
}

/** On the wire what is unset is 0, which the dispatcher takes for the default. */
function policyToProto({ base_seconds, factor, max_seconds, max_attempts }: NonNullable<WebhookPatch['retry_policy']>) {
  return {
    baseSeconds: base_seconds ?? undefined,
    factor: factor ?? undefined,
    maxSeconds: max_seconds ?? undefined,
    maxAttempts: max_attempts ?? undefined,
  };
}

function withoutNulls(headers: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null));
}
