// What customers say of an endpoint: its defaults, and how a change comes out. Pure.
import type { BlockList } from 'node:net';
import { eventPatternFaults, faultsIn, fieldFault, headerBoundFaults, headerFaults, inFlightFaults, retryPolicyFaults, webhookHeaderFaults, type Fault } from '@na/contracts';
import { ServiceError, type FieldFault } from '@na/service-error';
import { defaultRetryPolicy, type RetryPolicy } from '../deliveries/retry-policy.js';
import { withLowerCaseNames, type Headers } from './custom-headers.js';
import type { Endpoint } from './endpoint.entity.js';
import { urlFaults } from './webhook-url.js';

/** As they are asked for; what is unset takes its default. */
export interface WantedSettings {
  url: string;
  description: string;
  eventTypes: string[];
  retryPolicy?: RetryPolicy;
  timeoutMs?: number;
  pageIds: string[];
  headers: Headers;
  rateLimitPerSecond?: number;
  maxInFlight?: number;
  ordered: boolean;
}

export type Settings = Pick<Endpoint, keyof WantedSettings>;

const defaultTimeoutMs = 15_000;

/** By the names that `fields` of an update uses. */
const settingOfField = new Map<string, keyof Settings>([
  ['url', 'url'],
  ['description', 'description'],
  ['event_types', 'eventTypes'],
  ['retry_policy', 'retryPolicy'],
  ['timeout_ms', 'timeoutMs'],
  ['page_ids', 'pageIds'],
  ['headers', 'headers'],
  ['rate_limit_per_second', 'rateLimitPerSecond'],
  ['max_in_flight', 'maxInFlight'],
  ['ordered', 'ordered'],
]);

const policyFields = new Map<string, keyof RetryPolicy>([
  ['base_seconds', 'baseSeconds'],
  ['factor', 'factor'],
  ['max_seconds', 'maxSeconds'],
  ['max_attempts', 'maxAttempts'],
]);

/**
 * @param allowed networks of the operator that webhooks may reach although they are private
 * @param secretFaults of the secret that was chosen with them, to be told in the same answer
 * @throws ServiceError `invalid_request` that names every fault
 */
export function newSettings(wanted: WantedSettings, allowed: BlockList, secretFaults: FieldFault[] = []): Settings {
  const settings = withDefaults(wanted);
  const faults = [
    ...faultsIn('url', urlFaults(wanted.url, allowed)),
    ...eventTypeFaults(wanted.eventTypes),
    ...faultsIn('headers', webhookHeaderFaults(wanted.headers)),
    ...faultsIn('retry_policy', retryPolicyFaults(settings.retryPolicy)),
    ...inFlightFaults(settings),
  ];
  refuse([...faults.map(fieldFault), ...secretFaults]);
  return settings;
}

function withDefaults(wanted: WantedSettings): Settings {
  return {
    url: wanted.url,
    description: wanted.description,
    eventTypes: [...new Set(wanted.eventTypes)],
    retryPolicy: policyOf(wanted.retryPolicy),
    timeoutMs: wanted.timeoutMs ?? defaultTimeoutMs,
    pageIds: [...new Set(wanted.pageIds)],
    headers: withLowerCaseNames(wanted.headers),
    rateLimitPerSecond: wanted.rateLimitPerSecond ?? null,
    maxInFlight: wanted.maxInFlight ?? null,
    ordered: wanted.ordered,
  };
}

/**
 * What is not named is not judged again: rules and the operator's networks may have become stricter since.
 * @param fields names such as `event_types`; also `headers.<name>` and `retry_policy.<field>` for a part of the two
 * @throws ServiceError `invalid_request` that names every fault
 */
export function changedSettings(current: Settings, wanted: WantedSettings, fields: string[], allowed: BlockList): Settings {
  const news = withDefaults(wanted);
  const changed = { ...current, headers: { ...current.headers }, retryPolicy: { ...current.retryPolicy } };
  for (const field of fields) change(changed, news, field);
  const isNamed = (setting: string) => fields.some((field) => splitOnce(field)[0] === setting);
  const faults = [
    ...(isNamed('url') ? faultsIn('url', urlFaults(wanted.url, allowed)) : []),
    ...(isNamed('event_types') ? eventTypeFaults(wanted.eventTypes) : []),
    // By the names that the request uses; the bounds on all of them are for what there is after the change.
    ...(isNamed('headers') ? faultsIn('headers', [...headerFaults(wanted.headers), ...headerBoundFaults(changed.headers)]) : []),
    ...(isNamed('retry_policy') ? faultsIn('retry_policy', retryPolicyFaults(changed.retryPolicy)) : []),
    ...(isNamed('ordered') || isNamed('max_in_flight') ? inFlightFaults(changed) : []),
  ];
  refuse(faults.map(fieldFault));
  return changed;
}

function change(changed: Settings, news: Settings, field: string): void {
  const [name, part] = splitOnce(field);
  if (name === 'headers' && part !== undefined) return changeHeader(changed.headers, news.headers, part.toLowerCase());
  const policyField = policyFields.get(part ?? '');
  if (name === 'retry_policy' && policyField) return void (changed.retryPolicy[policyField] = news.retryPolicy[policyField]);
  const setting = part === undefined ? settingOfField.get(name) : undefined;
  if (!setting) throw new ServiceError('invalid_request', `A webhook has no setting ${field}.`);
  Object.assign(changed, { [setting]: news[setting] });
}

function changeHeader(changed: Headers, news: Headers, name: string): void {
  if (news[name] === undefined) delete changed[name];
  else changed[name] = news[name];
}

/** A header's name may have dots in it. */
function splitOnce(field: string): [name: string, part?: string] {
  const dot = field.indexOf('.');
  return dot < 0 ? [field] : [field.slice(0, dot), field.slice(dot + 1)];
}

/** On the wire a number that is unset is 0, which is out of bounds for all of them. */
function policyOf(wanted: RetryPolicy | undefined): RetryPolicy {
  return {
    baseSeconds: wanted?.baseSeconds || defaultRetryPolicy.baseSeconds,
    factor: wanted?.factor || defaultRetryPolicy.factor,
    maxSeconds: wanted?.maxSeconds || defaultRetryPolicy.maxSeconds,
    maxAttempts: wanted?.maxAttempts || defaultRetryPolicy.maxAttempts,
  };
}

function refuse(fields: FieldFault[]): void {
  if (fields.length > 0) throw new ServiceError('invalid_request', 'Some settings of the webhook are not valid.', { fields });
}

function eventTypeFaults(patterns: string[]): Fault[] {
  return faultsIn('event_types', patterns.flatMap((pattern, index) => faultsIn(index, eventPatternFaults(pattern))));
}
