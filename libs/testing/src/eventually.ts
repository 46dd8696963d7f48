// For what a test can only see from outside, such as a row that appears after an answer was sent.
import { setTimeout as delay } from 'node:timers/promises';

/** Repeats `check` until it no longer throws, and returns what it returns. Ends with the test's own time-out, or after `withinMs`. */
export async function eventually<T>(check: () => Promise<T>, withinMs = 10_000): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await delay(10);
    }
  }
}
