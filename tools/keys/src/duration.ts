// Lengths of time as people write them: 90s, 30m, 24h, 7d. Pure.

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @returns milliseconds, or undefined for what is not such a length */
export function durationMs(text: string): number | undefined {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  return match ? Number(match[1]) * unitMs[match[2]!]! : undefined;
}
