/** The launcher's lines: how long it has been running, and what happened. */
export type Say = (note: string) => void;

const start = performance.now();

export const say: Say = (note) => console.log(`${elapsed().padStart(6)}s  ${note}`);

/** Seconds since the launcher started, `1.2`. */
export function elapsed(): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}
