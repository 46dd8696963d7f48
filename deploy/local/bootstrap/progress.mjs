/** The few lines that the bootstrap prints, on stderr: stdout belongs to the command it runs. */

/**
 * Says what is being done, and returns what says that it is done and how long it took.
 * @param {string} what @returns {(result: string) => void}
 */
export function working(what) {
  const start = performance.now();
  console.error(`${what} …`);
  return (result) => console.error(`${result} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

/** @param {import('./lock.mjs').Holder} holder */
export function waiting(holder) {
  console.error(`Waiting for process ${holder.pid}, which is ${holder.purpose} in this checkout …`);
}
