// What is wrong with the stretch of time that a list or a replay is asked for. Pure.
import { fault, type Fault } from './fault.js';

interface Window {
  since: Date;
  until: Date;
}

const maxReplayDays = 31;
const dayMs = 86_400_000;

/** Of a list, whose bounds may both be left out. */
export function windowFaults({ since, until }: Partial<Window>): Fault[] {
  if (!since || !until || since < until) return [];
  return [fault('invalid_window', 'Must lie before until: as it is, nothing can lie between them. Exchange the two, or leave one of them out.', 'since')];
}

/** The window ends now at the latest: what happens later is delivered anyway. */
export function replayUntil(until: Date, now: Date): Date {
  return until > now ? now : until;
}

export function replayWindowFaults({ since, until }: Window, now: Date): Fault[] {
  const end = replayUntil(until, now);
  if (since >= end) return [fault('invalid_window', 'Must lie before until, and in the past.', 'since')];
  const isTooLong = end.getTime() - since.getTime() > maxReplayDays * dayMs;
  return isTooLong ? [fault('window_too_long', `Must lie at most ${maxReplayDays} days before until.`, 'since')] : [];
}
