// The mail about what has happened to a workspace's endpoints. Pure. URLs, descriptions and names are customers' text: they
// are brought onto one line and to a bounded length before they go anywhere.
import type { HealthSignal } from '../health/endpoint-health.js';
import type { Alert } from './alert.js';
import { whatToCheck } from './what-to-check.js';

export interface Addressee {
  /** Name of the workspace. */
  name: string;
  /** IANA name; times are shown in it. */
  timeZone: string;
}

/**
 * @param alerts at least one, oldest first
 * @param apiUrl where clients reach the API, without a slash at its end; empty when nobody has said
 */
export function composeAlertMail(alerts: Alert[], { name, timeZone }: Addressee, apiUrl = ''): { subject: string; text: string } {
  const workspace = oneLine(name, 60);
  const time = timeIn(timeZone);
  const sections = alerts.map((alert) => sectionOf(alert, time, apiUrl));
  const intro = `This is about the webhooks of the workspace ${workspace}.`;
  return { subject: `${headline(alerts)} (${workspace})`, text: `${intro}\n\n${sections.join(`\n\n${rule}\n\n`)}\n` };
}

const rule = '-'.repeat(60);

const states = { disabled: 'disabled', failing: 'failing', recovered: 'working again' };

function headline(alerts: Alert[]): string {
  if (alerts.length === 1) return `Webhook endpoint ${states[alerts[0]!.signal.kind]}: ${hostOf(alerts[0]!)}`;
  const counts = Object.entries(states)
    .map(([kind, state]) => ({ state, count: alerts.filter(({ signal }) => signal.kind === kind).length }))
    .filter(({ count }) => count > 0);
  return `Webhook endpoints: ${counts.map(({ state, count }) => `${count} ${state}`).join(', ')}`;
}

type ShowTime = (at: Date) => string;

function sectionOf(alert: Alert, time: ShowTime, apiUrl: string): string {
  const { signal, endpointId, description } = alert;
  const about = description ? `${endpointId}, ${oneLine(description, 200)}` : endpointId;
  const lines = [`${addressOf(alert)}\n(${about})`, ...whatHappened(signal, time)];
  if (signal.kind !== 'recovered') lines.push(whatToDo(signal, `${apiUrl}/api/v1/webhooks/${endpointId}`));
  return lines.join('\n\n');
}

function whatHappened(signal: HealthSignal, time: ShowTime): string[] {
  switch (signal.kind) {
    case 'failing':
      return [
        `No attempt has succeeded since ${time(signal.failingSince)}; ${attempts(signal.failedAttempts)} failed. ${lastAnswer(signal)}`,
        `Unless an attempt succeeds before, the first failure after ${time(signal.disabledAtEarliest)} disables the endpoint.`,
      ];
    case 'disabled':
      return [
        `The endpoint was disabled at ${time(signal.at)}. ${whyDisabled(signal, time)}`,
        'Nothing is sent to it any more. Its events are kept, and can be sent once it works again.',
      ];
    case 'recovered':
      return [
        `An attempt succeeded at ${time(signal.at)}, after ${attempts(signal.failedAttempts)} that had failed since ${time(signal.failingSince)}.`,
        'There is nothing to do: what failed meanwhile is retried on its schedule, and the rest can be replayed.',
      ];
  }
}

/** The reason in the owners' time zone; the endpoint itself shows it in UTC. */
function whyDisabled(signal: Disabling, time: ShowTime): string {
  if (signal.cause === 'gone') return 'It answered 410 Gone, which asks never to be called again.';
  return `No attempt had succeeded since ${time(signal.failingSince)}; ${attempts(signal.failedAttempts)} failed. ${lastAnswer(signal)}`;
}

type Failure = Exclude<HealthSignal, { kind: 'recovered' }>;
type Disabling = Extract<HealthSignal, { kind: 'disabled' }>;

function whatToDo(signal: Failure, address: string): string {
  const steps = [
    whatToCheck(signal.responseCode, signal.error),
    `See every attempt with its answer: GET ${address}/deliveries`,
    `Send a signed test event: POST ${address}/test`,
    ...(signal.kind === 'disabled' ? [`Turn the endpoint on again: POST ${address}/enable`] : []),
    `Have missed events sent again: POST ${address}/replays`,
  ];
  return `How to mend it:\n${steps.map((step, index) => `${index + 1}. ${step}`).join('\n')}`;
}

function lastAnswer({ responseCode, error }: Failure): string {
  if (responseCode) return `The last answer was ${responseCode}${error ? ` and broke off: ${error}` : ''}.`;
  return error ? `The last attempt got no answer: ${error}.` : 'The last attempt got no answer.';
}

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

/** Without credentials and query, which often hold a token. */
function addressOf({ url, endpointId }: Alert): string {
  const parsed = URL.parse(url);
  return parsed ? oneLine(parsed.origin + parsed.pathname, 300) : endpointId;
}

/** ASCII without spaces, whatever was entered: the URL parser sees to that. */
function hostOf({ url, endpointId }: Alert): string {
  return oneLine(URL.parse(url)?.host || endpointId, 100);
}

/** No line breaks, no control or direction-changing characters, no more than `max` characters. */
function oneLine(text: string, max: number): string {
  const line = text.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  const characters = [...line];
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`;
}

function timeIn(timeZone: string): ShowTime {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: isKnown(timeZone) ? timeZone : 'UTC', dateStyle: 'medium', timeStyle: 'long' });
  return (at) => format.format(at);
}

/** A zone newer than this process's tables must not keep the mail from going out. */
function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone }) !== undefined;
  } catch {
    return false;
  }
}
