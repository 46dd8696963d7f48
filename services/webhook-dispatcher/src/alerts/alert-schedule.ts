// When alert mails go: soon, seldom, and again when they could not be sent. Pure.

const minuteMs = 60_000;

/** An outage rarely hits one endpoint alone: what follows within a minute goes into the same mail. */
export const gatherMs = minuteMs;

/** At most one mail to a workspace in this time. Whatever happens meanwhile waits and is combined. */
export const mailEveryMs = 10 * minuteMs;

/** An alert that could not be sent for this long is no longer news. */
export const giveUpAfterMs = 3 * 24 * 60 * minuteMs;

/** 1 minute, doubling up to 1 hour. @param tries how many have failed, at least 1 */
export function resendAfterMs(tries: number): number {
  return Math.min(60, 2 ** (tries - 1)) * minuteMs;
}

export function isStale(alert: { createdAt: Date }, now: Date): boolean {
  return now.getTime() - alert.createdAt.getTime() >= giveUpAfterMs;
}
