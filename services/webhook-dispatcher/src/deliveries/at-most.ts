// A question that is asked again and again, of something that may hang.
import { setTimeout as delay } from 'node:timers/promises';

export interface Answer<T> {
  value: T;
}

/**
 * @param ms how long each asker waits
 * @returns asks, or joins whoever is still waiting, so that what hangs is asked once; undefined when there is no answer in
 * time, or none at all
 */
export function atMost<T>(ms: number, ask: () => Promise<T>): () => Promise<Answer<T> | undefined> {
  let asking: Promise<Answer<T> | undefined> | undefined;
  return () => {
    asking ??= ask()
      .then((value) => ({ value }))
      .catch(() => undefined)
      .finally(() => (asking = undefined));
    return Promise.race([asking, delay(ms, undefined, { ref: false })]);
  };
}
